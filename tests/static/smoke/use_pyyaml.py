import yaml

text = "a: [1, 2.5, ~]\nb: {c: !!binary aGVsbG8=, d: 2024-05-06}\n"
data = yaml.load(text, Loader=yaml.CSafeLoader)
print(data, yaml.dump(data, Dumper=yaml.CSafeDumper), yaml.__with_libyaml__)
try:
    yaml.load("a: [1", Loader=yaml.CSafeLoader)
except yaml.YAMLError as error:
    print(error)
