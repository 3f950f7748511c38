"""What a compiled program is, whatever the machine: loop-nest IR, fusion, memory plan.

May import floors 0 to 2. Nothing here knows LLVM or CUDA. Start with `ir.py`.
"""
