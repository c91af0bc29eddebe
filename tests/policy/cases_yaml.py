"""YAML that is not what it seems."""

from tests.policy.cases import Case

CASES: tuple[Case, ...] = (
    Case(
        "indentation",
        """\
services:
  web:
    regions: [us]
   ttl: 30s
""",
        "4:4: does not fit what begins on line 2, whose keys stand in column 3; check the indentation",
    ),
    Case(
        "item_among_keys",
        """\
services:
  web:
    regions: [us]
    chain:
      nearest: {}
      - sticky
""",
        "6:7: this is an item of a list, and line 5 begins with a key; one of them is wrong",
    ),
    Case(
        "no_blank_behind_the_colon",
        """\
services:
  web:
    ttl:30s
    chain:
      - sticky
""",
        '3:1: this line is no "key: value"; a blank follows the colon',
    ),
    Case(
        "no_blank_behind_the_colon_of_text",
        """\
server: {seed: x}
version:1
geo: {}
""",
        '2:1: this line is no "key: value"; a blank follows the colon',
    ),
    Case(
        "unclosed_brace",
        """\
services:
  web: {regions: [us], ttl: 30s
  api: {regions: [us]}
""",
        '3:6: a "," is missing before this, or a "}" for the bracket on line 2',
    ),
    Case(
        "tab",
        """\
version: 1
server:
	listen: x
""",
        "3:1: a tab cannot be used for indentation; use spaces",
    ),
    Case(
        "plain_star",
        """\
zones:
  example.com:
    ns: [ns1.example.com]
    records:
      *: {service: web}
""",
        '5:7: a plain "*" starts an alias; put it in quotes: "*"',
    ),
    Case(
        "plain_star_label",
        """\
zones:
  example.com:
    ns: [ns1.example.com]
    records:
      *.app: {service: web}
""",
        '5:7: a plain "*" starts an alias; put it in quotes: "*.app"',
    ),
    Case(
        "star_word",
        """\
services:
  *web: {regions: [us]}
""",
        '2:3: "*web" refers to an anchor that is not defined above; for plain text put it in quotes',
    ),
    Case(
        "plain_at",
        """\
zones:
  example.com:
    ns: [ns1.example.com]
    records:
      @: {service: web}
""",
        '5:7: plain text cannot start with "@"; put it in quotes: "@"',
    ),
    Case(
        "plain_ipv6",
        """\
server: {listen: [[::1]:5300]}
""",
        '1:19: a key must be plain text; put it in quotes, as in "[::1]:5300"',
    ),
    Case(
        "plain_percent",
        """\
server: {seed: %x}
""",
        '1:16: plain text cannot start with "%"; put it in quotes: "%x"',
    ),
    Case(
        "unclosed_quote",
        """\
server: {seed: "x}
""",
        "1:16: this quote is never closed",
    ),
    Case(
        "colon_in_text",
        """\
server:
  seed: a: b
""",
        '2:10: a ": " is not allowed here; put text that holds it in quotes, and check the indentation',
    ),
    Case(
        "duplicate_key",
        """\
services:
  web: {regions: [us], regions: [eu]}
""",
        '2:24: the key "regions" stands here twice; the first is on line 2',
    ),
    Case(
        "duplicate_section",
        """\
services: {web: {regions: [us, eu]}}
services: {}
""",
        '2:1: the key "services" stands here twice; the first is on line 1',
    ),
    Case(
        "complex_key",
        """\
services:
  ? [a]
  : 1
""",
        '2:5: a key must be plain text; put it in quotes, as in "[::1]:5300"',
    ),
    Case(
        "alias_to_itself",
        """\
services: &s
  web: *s
""",
        '2:8: "*s" stands inside the value it refers to',
    ),
    Case(
        "strange_tag",
        """\
server: {seed: !!python/name:os.system x}
""",
        '1:16: the tag "!!python/name:os.system" is not supported; remove it',
    ),
    Case(
        "wrong_tag",
        """\
server: {workers: !!int many}
""",
        '1:19: "many" is not what its tag "!!int" says',
        '1:19: server.workers: expected auto or a number from 1 to 256, found "many"',
    ),
    Case(
        "merge_of_text",
        """\
services:
  web: {<<: us, regions: [us, eu]}
""",
        '2:13: a merge key "<<" needs a mapping or a list of mappings',
    ),
    Case(
        "plain_ipv6_alone",
        """\
server:
  listen: [::1]:53
""",
        '2:12: an IPv6 address in brackets must be in quotes: "[::1]:5300"',
    ),
)
