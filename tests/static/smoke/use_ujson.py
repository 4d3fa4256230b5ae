import ujson

text = ujson.dumps({"a": [1, 2.5, None], "é": "<&>"}, ensure_ascii=False)
print(text, ujson.loads(text))
try:
    ujson.loads("[1,")
except ujson.JSONDecodeError as error:
    print(error)
