import os,sys
if os.environ.get('A') and sys.argv and (   len( sys.argv )>1   or not sys.flags.isolated) and sys.path: pass
x = lambda : 1
