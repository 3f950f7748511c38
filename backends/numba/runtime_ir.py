"""The LLVM IR of the native runtime; what it does is said in runtime.py."""

from __future__ import annotations

import platform

_X86, _ARM = ("call void @llvm.x86.sse2.pause()", "call void @llvm.aarch64.hint(i32 1)")
_PAUSE = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}
SPIN = 2000
"""Turns a worker waits for the next job before it sleeps: about 50 us."""

_TEXT = """
@next = internal global i64 0, align 64
@inside = internal global i64 0, align 64
@generation = internal global i64 0, align 64
@open = internal global i64 0, align 64
@sleepers = internal global i64 0, align 64
@busy = internal global i64 0, align 64
@owner = internal global ptr null, align 64
@stop = internal global i64 0, align 64
@workers = global i64 0, align 64
@job = internal global [4 x i64] zeroinitializer, align 64
@mutex = internal global [32 x i64] zeroinitializer, align 64
@cond = internal global [32 x i64] zeroinitializer, align 64

declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @sched_yield()
declare i64 @llvm.smin.i64(i64, i64)
declare ptr @PyLong_AsVoidPtr(ptr)
declare ptr @PyErr_Occurred()
declare void @PyErr_SetString(ptr, ptr)
declare i32 @PyObject_IsInstance(ptr, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare i32 @PyErr_CheckSignals()
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare ptr @PyGILState_GetThisThreadState()
@_Py_NoneStruct = external global i8
@PyExc_TypeError = external global ptr

define internal void @chunks(ptr %fn, ptr %table, i64 %n, i64 %chunk, ptr %counter) {
entry:
  br label %loop
loop:
  %lo = atomicrmw add ptr %counter, i64 %chunk seq_cst
  %more = icmp slt i64 %lo, %n
  br i1 %more, label %stopped, label %done
stopped:
  %shared = icmp eq ptr %counter, @next
  %flag = load atomic i64, ptr @stop seq_cst, align 8
  %set = icmp ne i64 %flag, 0
  %quit = and i1 %shared, %set
  br i1 %quit, label %done, label %work
work:
  %end = add i64 %lo, %chunk
  %hi = call i64 @llvm.smin.i64(i64 %end, i64 %n)
  call void %fn(ptr %table, i64 %lo, i64 %hi)
  br label %loop
done:
  ret void
}

define internal void @serve() {
entry:
  %fn = load ptr, ptr @job
  %p1 = getelementptr i64, ptr @job, i64 1
  %table = load ptr, ptr %p1
  %p2 = getelementptr i64, ptr @job, i64 2
  %n = load i64, ptr %p2
  %p3 = getelementptr i64, ptr @job, i64 3
  %chunk = load i64, ptr %p3
  call void @chunks(ptr %fn, ptr %table, i64 %n, i64 %chunk, ptr @next)
  ret void
}

define internal ptr @worker(ptr %arg) {
entry:
  %first = ptrtoint ptr %arg to i64
  br label %wait
wait:
  %seen = phi i64 [ %first, %entry ], [ %now, %served ]
  br label %spin
spin:
  %turn = phi i64 [ 0, %wait ], [ %turn2, %again ]
  %g = load atomic i64, ptr @generation seq_cst, align 8
  %new = icmp ne i64 %g, %seen
  br i1 %new, label %go, label %again
again:
  PAUSE
  %turn2 = add i64 %turn, 1
  %patient = icmp ult i64 %turn2, SPIN
  br i1 %patient, label %spin, label %sleep
sleep:
  %m0 = call i32 @pthread_mutex_lock(ptr @mutex)
  %s0 = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %check
check:
  %g2 = load atomic i64, ptr @generation seq_cst, align 8
  %new2 = icmp ne i64 %g2, %seen
  br i1 %new2, label %awake, label %block
block:
  %c0 = call i32 @pthread_cond_wait(ptr @cond, ptr @mutex)
  br label %check
awake:
  %s1 = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  %m1 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %go
go:
  %now = phi i64 [ %g, %spin ], [ %g2, %awake ]
  %i0 = atomicrmw add ptr @inside, i64 1 seq_cst
  %o = load atomic i64, ptr @open seq_cst, align 8
  %isopen = icmp ne i64 %o, 0
  br i1 %isopen, label %work, label %served
work:
  call void @serve()
  br label %served
served:
  %i1 = atomicrmw sub ptr @inside, i64 1 seq_cst
  br label %wait
}

define internal void @parallel(ptr %fn, ptr %table, i64 %n, i64 %chunk) {
entry:
  %counter = alloca i64, align 8
  %w = load i64, ptr @workers
  %any = icmp sgt i64 %w, 0
  br i1 %any, label %try, label %serial
try:
  %r = cmpxchg ptr @busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %r, 1
  br i1 %mine, label %publish, label %serial
publish:
  %self = call ptr @PyGILState_GetThisThreadState()
  store atomic ptr %self, ptr @owner seq_cst, align 8
  store atomic i64 0, ptr @stop seq_cst, align 8
  store ptr %fn, ptr @job
  %p1 = getelementptr i64, ptr @job, i64 1
  store ptr %table, ptr %p1
  %p2 = getelementptr i64, ptr @job, i64 2
  store i64 %n, ptr %p2
  %p3 = getelementptr i64, ptr @job, i64 3
  store i64 %chunk, ptr %p3
  store atomic i64 0, ptr @next seq_cst, align 8
  store atomic i64 1, ptr @open seq_cst, align 8
  %g = atomicrmw add ptr @generation, i64 1 seq_cst
  %s = load atomic i64, ptr @sleepers seq_cst, align 8
  %asleep = icmp sgt i64 %s, 0
  br i1 %asleep, label %wake, label %work
wake:
  %m0 = call i32 @pthread_mutex_lock(ptr @mutex)
  %b0 = call i32 @pthread_cond_broadcast(ptr @cond)
  %m1 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %work
work:
  call void @serve()
  store atomic i64 0, ptr @open seq_cst, align 8
  br label %wait
wait:
  %turn = phi i64 [ 0, %work ], [ %turn2, %relax ], [ 0, %yield ]
  %in = load atomic i64, ptr @inside seq_cst, align 8
  %empty = icmp eq i64 %in, 0
  br i1 %empty, label %done, label %again
again:
  %turn2 = add i64 %turn, 1
  %long = icmp ugt i64 %turn2, SPIN
  br i1 %long, label %yield, label %relax
relax:
  PAUSE
  br label %wait
yield:
  %y = call i32 @sched_yield()
  br label %wait
done:
  store atomic ptr null, ptr @owner seq_cst, align 8
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void
serial:
  store i64 0, ptr %counter
  call void @chunks(ptr %fn, ptr %table, i64 %n, i64 %chunk, ptr %counter)
  ret void
}

define void @pool.start(i64 %workers) {
entry:
  %m = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %c = call i32 @pthread_cond_init(ptr @cond, ptr null)
  %thread = alloca ptr
  %attr = alloca [256 x i8], align 16
  %a0 = call i32 @pthread_attr_init(ptr %attr)
  %a1 = call i32 @pthread_attr_setstacksize(ptr %attr, i64 4194304)
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %k2, %made ]
  %more = icmp slt i64 %k, %workers
  br i1 %more, label %make, label %done
make:
  %g = load atomic i64, ptr @generation seq_cst, align 8
  %seen = inttoptr i64 %g to ptr
  %r = call i32 @pthread_create(ptr %thread, ptr %attr, ptr @worker, ptr %seen)
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %done, label %made
made:
  %t = load ptr, ptr %thread
  %d = call i32 @pthread_detach(ptr %t)
  %k2 = add i64 %k, 1
  br label %loop
done:
  store i64 %k, ptr @workers
  ret void
}

define void @pool.forget() {
entry:
  store i64 0, ptr @workers
  store i64 0, ptr @inside
  store i64 0, ptr @open
  store i64 0, ptr @sleepers
  store i64 0, ptr @busy
  ret void
}

define i32 @poll() {
entry:
  %thread = call ptr @PyGILState_GetThisThreadState()
  %worker = icmp eq ptr %thread, null
  br i1 %worker, label %told, label %python
told:
  %flag = load atomic i64, ptr @stop seq_cst, align 8
  %small = trunc i64 %flag to i32
  ret i32 %small
python:
  %state = call i32 @PyGILState_Ensure()
  %e = call ptr @PyErr_Occurred()
  %before = icmp ne ptr %e, null
  br i1 %before, label %failed, label %check
check:
  %r = call i32 @PyErr_CheckSignals()
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %failed, label %fine
fine:
  call void @PyGILState_Release(i32 %state)
  ret i32 0
failed:
  call void @PyGILState_Release(i32 %state)
  %owner = load atomic ptr, ptr @owner seq_cst, align 8
  %mine = icmp eq ptr %thread, %owner
  br i1 %mine, label %tell, label %leave
tell:
  store atomic i64 1, ptr @stop seq_cst, align 8
  br label %leave
leave:
  ret i32 1
}

define internal void @one(ptr %fn, ptr %table, i64 %n, i64 %chunk) {
entry:
  %serial = icmp eq i64 %chunk, 0
  br i1 %serial, label %plain, label %split
plain:
  call void %fn(ptr %table, i64 0, i64 %n)
  ret void
split:
  call void @parallel(ptr %fn, ptr %table, i64 %n, i64 %chunk)
  ret void
}

define void @execute(ptr %program, ptr %slots) {
entry:
  %nsteps = load i64, ptr %program
  %ps = getelementptr i64, ptr %program, i64 1
  %steps = load ptr, ptr %ps
  %pm = getelementptr i64, ptr %program, i64 4
  %most = load i64, ptr %pm
  %table = alloca ptr, i64 %most, align 16
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i2, %run ]
  %more = icmp slt i64 %i, %nsteps
  br i1 %more, label %step, label %done
step:
  %at = mul i64 %i, 5
  %s = getelementptr i64, ptr %steps, i64 %at
  %fn = load ptr, ptr %s
  %s1 = getelementptr i64, ptr %s, i64 1
  %nargs = load i64, ptr %s1
  %s2 = getelementptr i64, ptr %s, i64 2
  %args = load ptr, ptr %s2
  %s3 = getelementptr i64, ptr %s, i64 3
  %n = load i64, ptr %s3
  %s4 = getelementptr i64, ptr %s, i64 4
  %chunk = load i64, ptr %s4
  br label %gather
gather:
  %k = phi i64 [ 0, %step ], [ %k2, %fetch ]
  %some = icmp slt i64 %k, %nargs
  br i1 %some, label %fetch, label %run
fetch:
  %ak = getelementptr i64, ptr %args, i64 %k
  %slot = load i64, ptr %ak
  %from = getelementptr ptr, ptr %slots, i64 %slot
  %p = load ptr, ptr %from
  %to = getelementptr ptr, ptr %table, i64 %k
  store ptr %p, ptr %to
  %k2 = add i64 %k, 1
  br label %gather
run:
  call void @one(ptr %fn, ptr %table, i64 %n, i64 %chunk)
  %i2 = add i64 %i, 1
  br label %loop
done:
  ret void
}

define internal void @run(ptr %program, ptr %slots) {
entry:
  %p2 = getelementptr i64, ptr %program, i64 2
  %nslots = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %program, i64 3
  %narrays = load i64, ptr %p3
  %p5 = getelementptr i64, ptr %program, i64 5
  %long = load i64, ptr %p5
  %p6 = getelementptr i64, ptr %program, i64 6
  %inits = load ptr, ptr %p6
  %p10 = getelementptr i64, ptr %program, i64 10
  %bytes = load i64, ptr %p10
  %scratch = alloca i8, i64 %bytes, align 64
  br label %rest
rest:
  %j = phi i64 [ %narrays, %entry ], [ %j2, %put ]
  %left = icmp slt i64 %j, %nslots
  br i1 %left, label %init, label %start
init:
  %jj = sub i64 %j, %narrays
  %at = mul i64 %jj, 2
  %q = getelementptr i64, ptr %inits, i64 %at
  %base = load i64, ptr %q
  %q1 = getelementptr i64, ptr %q, i64 1
  %offset = load i64, ptr %q1
  %slot = icmp sge i64 %base, 0
  br i1 %slot, label %relative, label %other
relative:
  %bp = getelementptr ptr, ptr %slots, i64 %base
  %data = load ptr, ptr %bp
  br label %put
other:
  %fixed = icmp eq i64 %base, -1
  %place = select i1 %fixed, ptr null, ptr %scratch
  br label %put
put:
  %root = phi ptr [ %data, %relative ], [ %place, %other ]
  %value = getelementptr i8, ptr %root, i64 %offset
  %sj = getelementptr ptr, ptr %slots, i64 %j
  store ptr %value, ptr %sj
  %j2 = add i64 %j, 1
  br label %rest
start:
  %release = icmp ne i64 %long, 0
  br i1 %release, label %free, label %hold
free:
  %state = call ptr @PyEval_SaveThread()
  call void @execute(ptr %program, ptr %slots)
  call void @PyEval_RestoreThread(ptr %state)
  ret void
hold:
  call void @execute(ptr %program, ptr %slots)
  ret void
}

define internal ptr @outcome() {
entry:
  %e = call ptr @PyErr_Occurred()
  %failed = icmp ne ptr %e, null
  br i1 %failed, label %raise, label %none
raise:
  ret ptr null
none:
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}

define ptr @py.staged(ptr %self, ptr %arg) {
entry:
  %table = call ptr @PyLong_AsVoidPtr(ptr %arg)
  %program = call ptr @PyLong_AsVoidPtr(ptr %self)
  %null = icmp eq ptr %table, null
  br i1 %null, label %check, label %begin
check:
  %e = call ptr @PyErr_Occurred()
  %bad = icmp ne ptr %e, null
  br i1 %bad, label %fail, label %begin
fail:
  ret ptr null
begin:
  %p2 = getelementptr i64, ptr %program, i64 2
  %nslots = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %program, i64 3
  %narrays = load i64, ptr %p3
  %slots = alloca ptr, i64 %nslots, align 16
  br label %copy
copy:
  %i = phi i64 [ 0, %begin ], [ %i2, %take ]
  %more = icmp slt i64 %i, %narrays
  br i1 %more, label %take, label %go
take:
  %from = getelementptr ptr, ptr %table, i64 %i
  %p = load ptr, ptr %from
  %to = getelementptr ptr, ptr %slots, i64 %i
  store ptr %p, ptr %to
  %i2 = add i64 %i, 1
  br label %copy
go:
  call void @run(ptr %program, ptr %slots)
  %result = call ptr @outcome()
  ret ptr %result
}

define ptr @py.kernel(ptr %self, ptr %arg) {
entry:
  %table = call ptr @PyLong_AsVoidPtr(ptr %arg)
  %record = call ptr @PyLong_AsVoidPtr(ptr %self)
  %null = icmp eq ptr %table, null
  br i1 %null, label %check, label %run
check:
  %e = call ptr @PyErr_Occurred()
  %bad = icmp ne ptr %e, null
  br i1 %bad, label %fail, label %run
fail:
  ret ptr null
run:
  %fn = load ptr, ptr %record
  %p1 = getelementptr i64, ptr %record, i64 1
  %n = load i64, ptr %p1
  %p2 = getelementptr i64, ptr %record, i64 2
  %chunk = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %record, i64 3
  %long = load i64, ptr %p3
  %release = icmp ne i64 %long, 0
  br i1 %release, label %free, label %hold
free:
  %state = call ptr @PyEval_SaveThread()
  call void @one(ptr %fn, ptr %table, i64 %n, i64 %chunk)
  call void @PyEval_RestoreThread(ptr %state)
  br label %done
hold:
  call void @one(ptr %fn, ptr %table, i64 %n, i64 %chunk)
  br label %done
done:
  %result = call ptr @outcome()
  ret ptr %result
}

@count.text = internal constant [27 x i8] c"wrong number of arrays\\00\\00\\00\\00\\00"
@array.text = internal constant [27 x i8] c"arguments must be ndarrays\\00"

define ptr @py.program(ptr %self, ptr %args, i64 %nargs) {
entry:
  %program = call ptr @PyLong_AsVoidPtr(ptr %self)
  %p2 = getelementptr i64, ptr %program, i64 2
  %nslots = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %program, i64 3
  %narrays = load i64, ptr %p3
  %p7 = getelementptr i64, ptr %program, i64 7
  %ndarray = load ptr, ptr %p7
  %p8 = getelementptr i64, ptr %program, i64 8
  %typeat = load i64, ptr %p8
  %p9 = getelementptr i64, ptr %program, i64 9
  %dataat = load i64, ptr %p9
  %slots = alloca ptr, i64 %nslots, align 16
  %right = icmp eq i64 %nargs, %narrays
  br i1 %right, label %arrays, label %miscount
miscount:
  br label %fail
arrays:
  %i = phi i64 [ 0, %entry ], [ %i2, %take ]
  %more = icmp slt i64 %i, %narrays
  br i1 %more, label %array, label %rest
array:
  %ai = getelementptr ptr, ptr %args, i64 %i
  %object = load ptr, ptr %ai
  %tp = getelementptr i8, ptr %object, i64 %typeat
  %type = load ptr, ptr %tp
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %take, label %ask
ask:
  %is = call i32 @PyObject_IsInstance(ptr %object, ptr %ndarray)
  %yes = icmp eq i32 %is, 1
  br i1 %yes, label %take, label %fail
take:
  %dp = getelementptr i8, ptr %object, i64 %dataat
  %data = load ptr, ptr %dp
  %si = getelementptr ptr, ptr %slots, i64 %i
  store ptr %data, ptr %si
  %i2 = add i64 %i, 1
  br label %arrays
rest:
  call void @run(ptr %program, ptr %slots)
  %result = call ptr @outcome()
  ret ptr %result
fail:
  %text = phi ptr [ @count.text, %miscount ], [ @array.text, %ask ]
  %error = load ptr, ptr @PyExc_TypeError
  call void @PyErr_SetString(ptr %error, ptr %text)
  ret ptr null
}
"""


def source() -> str:
    """The runtime's LLVM IR for this machine."""
    pause = _PAUSE.get(platform.machine(), "fence seq_cst")
    declare = pause.replace("call", "declare").replace("i32 1", "i32")
    text = _TEXT if pause.startswith("fence") else f"{declare}\n{_TEXT}"
    return text.replace("PAUSE", pause).replace("SPIN", str(SPIN))
