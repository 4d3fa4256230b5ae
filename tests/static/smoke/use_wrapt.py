import wrapt
from wrapt import _wrappers


@wrapt.decorator
def loud(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs).upper()


class A:
    @loud
    def name(self):
        return "a"


print(A().name(), wrapt.ObjectProxy([1, 2]) + [3], issubclass(wrapt.ObjectProxy, _wrappers.ObjectProxy))
