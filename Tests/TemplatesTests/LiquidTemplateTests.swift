import Foundation
import Testing

@testable import Templates

struct LiquidTemplateTests {
    private func html(_ source: String, _ data: LiquidValue, _ snippets: [String: String] = [:]) throws -> String {
        try LiquidTemplate(source, mode: .html)
            .render(data, partials: LiquidSnippets(snippets, mode: .html), clock: LiquidCase.clock)
    }

    @Test("an HTML template escapes every output, once")
    func escaping() throws {
        let data: LiquidValue = .object(["x": "<b>&\"'</b>", "list": ["<", ">"], "safe": .html("<i>ok</i>")])
        #expect(try html("{{ x }}", data) == "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;")
        #expect(
            try html("{{ x | escape }}{{ '&amp;' | escape_once }}", data) == "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;&amp;")
        #expect(try html("{{ x | escape | upcase }}", data).contains("&amp;LT;"))
        #expect(try html("{{ list }}{% echo x | slice: 0 %}{% cycle x %}", data).hasPrefix("&lt;&gt;&lt;&lt;b"))
        #expect(
            try html("{{ safe }}{{ safe | strip }}{{ safe | append: '' }}", data)
                == "<i>ok</i><i>ok</i>&lt;i&gt;ok&lt;/i&gt;")
        #expect(
            try html("{{ 'a<\nb' | newline_to_br }}{{ 'a<\n' | escape | newline_to_br }}", data)
                == "a&lt;<br />\nba&lt;<br />\n")
        #expect(try html("{{ x | raw }}", data).hasPrefix("&lt;"))
    }

    @Test("what an HTML template captures is HTML, and is not escaped again")
    func captures() throws {
        let data: LiquidValue = .object(["x": "<"])
        #expect(try html("{% capture c %}<b>{{ x }}</b>{% endcapture %}{{ c }}{{ c | size }}", data) == "<b>&lt;</b>11")
        #expect(
            try html(
                "{% capture n %}s{% endcapture %}{% include n %}{{ [n] }}", .object(["s": "v"]), ["s": "<{{ s }}>"])
                == "<v>v")
    }

    @Test("a snippet for plain text is not let into an HTML template")
    func mixedModes() throws {
        let snippets = LiquidSnippets(["s": "{{ x }}"], mode: .text)
        let template = try LiquidTemplate("{% include 's' %}", mode: .html)
        #expect(throws: TemplateError.self) { try template.render(.object(["x": "<"]), partials: snippets) }
    }

    @Test("mistakes are told with line, column and the line itself")
    func syntaxErrors() throws {
        func place(_ source: String) -> String {
            do throws(TemplateError) {
                _ = try LiquidTemplate(source, name: "mail", mode: .html)
                return "none"
            } catch {
                return error.summary
            }
        }
        #expect(place("Hi\n{% if a %}\nthere") == "mail:2:1: 'if' is never closed")
        #expect(place("Hi {{ a | truncate: }}\n{{ b c }}") == "mail:2:6: expected the end of this tag, but found c")
        #expect(place("žž {% endfor %}") == "mail:1:4: endfor has no beginning")
        #expect(place("{{ 'a' | append }}") == "mail:1:10: wrong number of arguments for append: 0 given, 1 expected")
        #expect(place("{% if a = b %}{% endif %}").hasPrefix("mail:1:9: expected 'and', 'or'"))
        #expect(place("{% liquid\n  assign a = 1\n  assign b | c\n%}").hasPrefix("mail:3:12:"))
    }

    @Test("an error while rendering fails with its place, or stands in the text of a preview")
    func renderErrors() throws {
        let template = try LiquidTemplate("a\n{{ 1 | divided_by: n }}b{% if 'a' > 1 %}c{% endif %}", mode: .text)
        #expect(
            throws: TemplateError(
                name: nil, line: 2, column: 1, message: "divided by 0",
                sourceLine: "{{ 1 | divided_by: n }}b{% if 'a' > 1 %}c{% endif %}")
        ) {
            try template.render(.object(["n": 0]))
        }
        var output: [UInt8] = Array("kept".utf8)
        #expect(throws: TemplateError.self) { try template.render(.object(["n": 0]), into: &output) }
        #expect(output == Array("kept".utf8))
        #expect(
            try template.render(.object(["n": 0]), errors: .inline)
                == "a\nLiquid error (line 2): divided by 0bLiquid error (line 2): comparison of String with 1 failed")
    }

    @Test("an error inside a tag that prints nothing is silent, as in the reference")
    func silentErrors() throws {
        let template = try LiquidTemplate("{% assign x = 1 | divided_by: 0 %}[{{ x }}]", mode: .text)
        #expect(try template.render(.null) == "[]")
    }

    @Test("thousands of variables are told as fast as they are read", .timeLimit(.minutes(1)))
    func manyVariables() throws {
        let template = try LiquidTemplate(String(repeating: "é{{ a.b }}", count: 20_000), mode: .text)
        let last = try #require(template.variablePaths.last)
        #expect(last == ("a.b", 1, 20_000 * 10 - 5))
    }

    @Test("the variables that a template reads are known before it is rendered")
    func variables() throws {
        let source = """
            {{ contact.firstName | default: fallback }}{% assign a = contact['last name'] %}{{ a }}
            {% for o in contact.orders %}{{ o.total }}{{ forloop.index }}{% endfor %}{{ o }}
            {% if x[y.z].w contains 'q' %}{% endif %}{{ tags.size }}{% render 'card', c: company %}
            """
        let template = try LiquidTemplate(source, mode: .text)
        let paths: [String] = template.variablePaths.map { "\($0.path)@\($0.line):\($0.column)" }
        #expect(
            paths == [
                "contact.firstName@1:4", "fallback@1:33", "contact.last name@1:58", "contact.orders@2:13", "o@2:77",
                "y.z@3:9", "x@3:7", "tags@3:45", "company@3:78",
            ])
        #expect(template.snippetNames.map(\.name) == ["card"])
    }

    @Test("filters that do not exist are warned of")
    func warnings() throws {
        let template = try LiquidTemplate("a\n{{ b | money }}", mode: .text)
        #expect(template.warnings.map(\.summary) == ["2:8: unknown filter 'money'"])
    }

    @Test("data of many fields is found by name, and the last of two equal names counts")
    func objects() throws {
        let names: [String] = (0..<20).map { "f\($0)" }
        let shape = LiquidShape(names)
        let object = LiquidObject(shape, (0..<20).map { .int($0) })
        #expect(try LiquidTemplate("{{ f0 }}{{ f19 }}{{ f20 }}", mode: .text).render(.object(object)) == "019")
        #expect(LiquidObject([("a", 1), ("a", 2)])["a"].map(LiquidText.text) == "2")
        #expect(LiquidObject(shape, [1])["f5"] == nil)
    }
}

struct LiquidLimitTests {
    private func fails(_ source: String, _ limits: LiquidLimits = LiquidLimits(), data: LiquidValue = .null) -> String {
        do throws(TemplateError) {
            let snippets = LiquidSnippets(
                ["x": "x", "twice": "{% render 'twice' %}{% render 'twice' %}", "in": "{% include 'in' %}"], mode: .text
            )
            _ = try LiquidTemplate(source, mode: .text, limits: limits).render(
                data, partials: snippets, errors: .inline)
            return "rendered"
        } catch {
            return error.summary
        }
    }

    @Test(
        "loops end",
        arguments: [
            "a\n{% for i in (1..999999999999) %}{{ i }}{% endfor %}",
            "a\n{% tablerow i in (1..999999999999) %}{{ i }}{% endtablerow %}",
            "a\n{{ (1..999999999999) | join }}", "a\n{% render 'x' for (1..999999999999) %}",
            "a\n{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
            "{% capture s %}{% for i in (1..9999) %}long{% endfor %}{% endcapture %}{% for i in (1..99999) %}\n{{ s | size }}{% endfor %}",
            "{% capture s %}{% for i in (1..9999) %}long{% endfor %}{% endcapture %}{% for i in (1..99999) %}\n{{ s.size }}{% endfor %}",
            "{% capture s %}{% for i in (1..9999) %}long{% endfor %}{% endcapture %}{% for i in (1..99999) %}\n{% if s contains 'x' %}.{% endif %}{% endfor %}",
        ])
    func loops(source: String) {
        #expect(fails(source).hasPrefix("2:"))
    }

    @Test("text cannot be grown without end")
    func growth() {
        let doubling = "{% assign s = 'xxxxxxxxxx' %}{% for i in (1..99) %}\n{% assign s = s | append: s %}{% endfor %}"
        #expect(fails(doubling, LiquidLimits(outputBytes: 50_000)).contains("2:1: this text grows over"))
        let replacing =
            "{% assign s = 'xxxxxxxxxx' %}{% for i in (1..99) %}{% assign s = s | replace: '', s %}{% endfor %}"
        #expect(fails(replacing, LiquidLimits(outputBytes: 50_000)).contains("grows over"))
        let joining =
            "{% assign s = 'xxxxxxxxxx' %}{% for i in (1..99) %}{% assign s = s | split: '' | join: s %}{% endfor %}"
        #expect(fails(joining, LiquidLimits(outputBytes: 50_000)).contains("grows over"))
        let listing =
            "{% assign a = 'a,b' | split: ',' %}{% for i in (1..99) %}{% assign a = a | concat: a %}{% endfor %}"
        #expect(fails(listing, LiquidLimits(steps: 20_000)).contains("takes too long"))
        #expect(
            fails("{% for i in (1..99) %}{{ 'xxxxxxxxxx' }}{% endfor %}", LiquidLimits(outputBytes: 500)).contains(
                "grows over 500"))
        #expect(
            fails(
                "{% for i in (1..99) %}{% capture c %}{{ c }}xxxxxxxxxx{% endcapture %}{% endfor %}",
                LiquidLimits(outputBytes: 500)
            ).contains("grows over 500"))
    }

    @Test("nesting has an end, in the template and through snippets")
    func nesting() {
        let deep: String = String(repeating: "{% if true %}", count: 101) + String(repeating: "{% endif %}", count: 101)
        #expect(fails(deep).contains("nested too deeply"))
        #expect(fails("{{ " + String(repeating: "a[", count: 100) + "}}").contains("nested too deeply"))
        #expect(fails("{% render 'twice' %}").contains("too deeply"))
        #expect(fails("{% include 'in' %}").contains("too deeply"))
        #expect(fails("abc", LiquidLimits(sourceBytes: 2)).contains("larger than"))
    }

    @Test(
        "hostile numbers and formats are no crash",
        arguments: [
            "{{ 'abc' | slice: -9223372036854775808, 9223372036854775807 }}",
            "{{ 'a' | truncate: -9223372036854775808 }}",
            "{{ -9223372036854775808 | divided_by: -1 }}{{ -9223372036854775808 | modulo: -1 }}{{ -9223372036854775808 | abs }}",
            "{% for i in (1..3) offset: 9223372036854775807 limit: 9223372036854775807 %}{{ i }}{% endfor %}",
            "{% for i in (-9223372036854775808..9223372036854775807) limit: 2 %}{{ i }}{% endfor %}",
            "{{ 1.5 | round: 9223372036854775807 }}{{ 1.5 | round: -9223372036854775807 }}",
            "{{ 'now' | date: '%999999999Y%99999999B' | size }}",
            "{{ 9223372036854775807 | date: '%Y' }}",
            "{{ 'a' | truncatewords: 9223372036854775807 }}{{ a[-9223372036854775808] }}",
            "{% tablerow i in (1..3) cols: -9223372036854775808 offset: 9223372036854775807 %}{% endtablerow %}",
        ])
    func hostile(source: String) {
        #expect(!fails(source).isEmpty)
    }
}
