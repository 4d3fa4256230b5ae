from kiwisolver import Solver, UnsatisfiableConstraint, Variable

x, y = Variable("x"), Variable("y")
solver = Solver()
for constraint in (x + y == 10, x - y == 2, (x >= 0) | "weak"):
    solver.addConstraint(constraint)
solver.updateVariables()
print(x.value(), y.value())
try:
    solver.addConstraint(x == 100)
except UnsatisfiableConstraint:
    print("unsatisfiable")
