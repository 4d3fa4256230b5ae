"""A page by Flask, over TLS: its arguments are the port, the certificate and the key."""

import sys

import flask

app = flask.Flask(__name__)
app.secret_key = "for a test"

PAGE = """\
<title>{{ name|title }}</title>
{% for number in range(times) %}
<p>{{ number }}: {{ greeting }}, {{ name }}</p>
{% endfor %}
"""


@app.get("/greet/<name>")
def greet(name):
    times = flask.request.args.get("times", 1, type=int)
    return flask.render_template_string(PAGE, greeting="hello & welcome", name=name, times=times)


@app.get("/secure")
def secure():
    return flask.jsonify(secure=flask.request.is_secure, scheme=flask.request.scheme)


@app.get("/broken")
def broken():
    raise KeyError("broken")


@app.errorhandler(KeyError)
def gone(error):
    # Not 500, which curl takes for a reason to try again.
    app.logger.exception("a page is broken")
    return flask.jsonify(error=repr(error)), 410


if __name__ == "__main__":
    port, certificate, key = sys.argv[1:]
    app.run("127.0.0.1", int(port), ssl_context=(certificate, key))
