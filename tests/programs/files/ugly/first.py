def  f( a,b ,*, c = 'x' ):
    return {"a":a,'b':[b,
      c]}
class A( object ): x : int=1
match f(1,2):
    case {'a' :  a} if a>0 : print( f"{a !r:>{10}}" )
