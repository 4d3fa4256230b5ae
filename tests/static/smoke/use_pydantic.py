import pydantic
from pydantic import BaseModel, Field, ValidationError


class Point(BaseModel):
    x: int = Field(gt=0)
    names: list[str] = []


print(Point.model_validate_json('{"x": 3, "names": ["a"]}'), Point.model_json_schema()["title"])
try:
    Point(x="no")
except ValidationError as error:
    print(error.error_count(), error.errors()[0]["type"])
