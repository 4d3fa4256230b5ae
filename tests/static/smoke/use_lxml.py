from lxml import etree, html, objectify

root = etree.fromstring("<a><b x='1'>é</b><b x='2'/></a>")
print(root.xpath("count(//b)"), root.xpath("string(//b[@x='1'])"), etree.tostring(root))
sheet = "<s:stylesheet version='1.0' xmlns:s='http://www.w3.org/1999/XSL/Transform'><s:template match='/'><n><s:value-of select='count(//b)'/></n></s:template></s:stylesheet>"
print(etree.XSLT(etree.fromstring(sheet))(root))
print(html.fromstring("<p>x<br>y").text_content(), objectify.fromstring("<r><v>3</v></r>").v + 1)
try:
    etree.fromstring("<a>")
except etree.XMLSyntaxError as error:
    print(type(error).__name__)
