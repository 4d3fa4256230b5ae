from rapidfuzz import distance, fuzz, process
from rapidfuzz.distance import metrics_cpp

assert distance.Levenshtein.distance.__module__ != "rapidfuzz.distance.metrics_py"
print(distance.Levenshtein.distance("lewenstein", "levenshtein"), fuzz.ratio("this is", "this was"))
print(process.extract("ekiben", ["bento", "ekiben", "eki"], limit=2), metrics_cpp.__name__)
try:
    fuzz.ratio(1, 2)
except TypeError as error:
    print(type(error).__name__)
