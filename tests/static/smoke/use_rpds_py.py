from rpds import HashTrieMap, HashTrieSet, List

m = HashTrieMap({"a": 1}).insert("b", 2)
print(sorted(m.items()), m == HashTrieMap({"b": 2, "a": 1}), List([1, 2]).push_front(0))
try:
    m["c"]
except KeyError as error:
    print("missing", error)
print(len(HashTrieSet("hello")))
