"""Ufunc objects, dtypes and index objects of jaxlike.numpy, against jax.numpy."""

from __future__ import annotations

import pytest

from tests.parity.harness import compare_expression, expressions

pytest.importorskip("jax")

TABLE = r"""
G.reduce(x,axis=None,initial=1,where=np.array([True,False,True]))
F.reduce(x,axis=1,where=m)
G.reduce(3,axis=None)
G.accumulate(x)
F(np.arange(3),2)
F(3,2)
G.reduce(np.arange(4))
F.reduce(np.arange(4))
F.reduce(np.arange(0))
G.reduce(np.arange(0))
G.reduce(np.arange(6).reshape(2,3),axis=None)
G.reduce(np.arange(6).reshape(2,3),axis=(0,1))
G.reduce(np.arange(6).reshape(2,3),axis=1,where=np.array([True,False,True]))
G.reduce(np.arange(4),dtype=float)
G.reduce(np.float32(3))
G.accumulate(np.float32(3))
G.accumulate(np.arange(0))
G.accumulate(np.arange(4),axis=None)
G.at(np.arange(4),np.array([0,0]),np.array([1,2]),inplace=False)
G.at(np.arange(4),0,5,inplace=False)
np.negative.at(np.arange(4),np.array([1,1,2]),inplace=False)
np.negative.at(np.arange(4),np.array([1,1,2]),3,inplace=False)
np.add.at(np.arange(4),np.array([1,1,2]),inplace=False)
G.reduceat(np.arange(8),[0,4])
G.reduceat(np.arange(8),np.array([0.5,4]))
np.add.reduceat(np.arange(8).reshape(2,4),np.array([0,2]),axis=None)
np.add.reduceat(np.arange(8),np.array([[0,2]]))
H.reduce(np.arange(3))
H.outer(np.arange(3),np.arange(2))
F.outer(3,np.arange(2))
np.frompyfunc(3,1,1)
np.add==np.add
np.maximum.identity
np.maximum.reduce(np.array([1,2,3]),initial=5,where=np.array([True,False,True]))
np.maximum.reduce(np.array([1,2,3]),where=np.array([True,False,True]))
np.logical_and.reduce(np.array([1,2,0]),where=np.array([True,True,False]))
np.subtract.reduce(np.array([5,2,1]),initial=3)
np.add.accumulate(np.array([True,True]))
np.multiply.reduce(np.array([True,True]))
np.add.reduce(np.array([1,2],dtype='int8'))
np.bitwise_or.reduce(np.array([1,2],dtype='int8'))
np.bitwise_and.reduce(np.array([[1,2]],dtype='int8'),axis=None)
np.bitwise_xor.reduce(np.array([[1,2]],dtype='int8'),axis=(0,1),keepdims=True)
np.logical_xor.reduce(np.array([1,1,1]))
np.add.reduce(3)
np.add.reduce([1,2])
np.add.reduce(np.ones(2),out=1)
isinstance(np.float32(1),np.float32)
isinstance(np.float32, type)
hash(np.float32)==hash(onp.float32)
np.float32.dtype
onp.zeros(3,np.float32)
onp.dtype(np.bfloat16)
issubclass(np.float32, onp.floating)
np.issubdtype(np.float32, np.floating)
np.float32 in [onp.float32]
np.float32(1,2)
np.dtype('float32')==np.float32
onp.float32==np.float32
np.int4(3)
np.array(3).astype(np.int4)
np.s_[1:2]
np.mgrid[0:3,0:2]
np.ogrid[0:3,0:2]
np.mgrid[0:1:3j]
np.r_[1:3,5]
np.r_['0,2',[1,2],[3,4]]
np.c_[np.arange(2),np.arange(2)]
np.index_exp[1]
np.get_printoptions()["precision"]
np.can_cast('int32','float32')
np.isscalar(np.asarray(1))
np.isscalar(np.asarray([1]))
np.isscalar("a")
np.finfo('float32')
np.pow(2,3)
"""

SLOW_TO_COMPILE = r"""
G.reduce(np.arange(6).reshape(2,3),axis=1,keepdims=True)
G.reduce(np.arange(6).reshape(2,3),axis=1,keepdims=True,initial=10)
G.reduce(np.arange(6).reshape(2,3),axis=1,keepdims=True,initial=10,
    where=np.array([True,False,True]))
G.accumulate(np.arange(4))
G.accumulate(np.arange(4),dtype='float16')
G.accumulate(np.arange(4).reshape(2,2),axis=1)
F.at(np.arange(4),(np.array([0,1]),),np.array([1.5,2]),inplace=False)
np.add.at(np.arange(4),np.array([1,1,2]),1,inplace=False)
np.subtract.at(np.arange(4),np.array([1,1,2]),1,inplace=False)
np.multiply.at(np.arange(4),np.array([1,1,2]),3,inplace=False)
np.multiply.at(np.arange(4.),np.array([1,1,2]),3,inplace=False)
G.reduceat(np.arange(8),np.array([0,4,1,5,2]))
G.reduceat(np.arange(8).reshape(2,4),np.array([0,2]),axis=1)
np.add.reduceat(np.arange(8).reshape(2,4),np.array([0,2]),axis=1)
np.add.reduceat(np.arange(8).reshape(2,4),np.array([0,2]),axis=1,dtype='float32')
np.add.reduceat(np.arange(8),np.array([0,20]))
H(1,2)
np.logaddexp.accumulate(np.array([1,2],dtype='int8'))
np.logical_or.accumulate(np.array([0,3,0]))
np.maximum.accumulate(np.array([0,3,0]))
np.multiply.reduceat(np.arange(1,9),np.array([0,4,1,5,2]))
"""


@expressions(TABLE)
def test_as_jax(expression: str):
    compare_expression(expression)


@expressions(SLOW_TO_COMPILE, pytest.mark.slow)
def test_as_jax_slowly(expression: str):
    compare_expression(expression)
