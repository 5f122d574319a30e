import Markup
import Testing

@Suite("Markdown")
struct MarkdownTests {
    @Test(
        "Each construct becomes its element",
        arguments: [
            ("# One", "<h1>One</h1>"), ("### Three ###", "<h3>Three</h3>"), ("#no", "<p>#no</p>"),
            ("One\n===", "<h1>One</h1>"),
            ("Two\nlines\n---", "<h2>Two\nlines</h2>"), ("a\nb", "<p>a\nb</p>"), ("a\n\nb", "<p>a</p>\n<p>b</p>"),
            ("a  \nb", "<p>a<br>\nb</p>"), ("a\\\nb", "<p>a<br>\nb</p>"), ("***", "<hr>"), ("- - -", "<hr>"),
            ("*a* **b** ***c***", "<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em></p>"),
            ("_a_ __b__ snake_case_name", "<p><em>a</em> <strong>b</strong> snake_case_name</p>"),
            ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"), ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
            ("*open", "<p>*open</p>"),
            ("~~gone~~", "<p><del>gone</del></p>"), ("`a < b`", "<p><code>a &lt; b</code></p>"),
            ("``a`b``", "<p><code>a`b</code></p>"),
            ("\\*a\\*", "<p>*a*</p>"), ("a & b &amp; 3 < 4", "<p>a &amp; b &amp; 3 &lt; 4</p>"),
            ("[a](https://x.example)", "<p><a href=\"https://x.example\">a</a></p>"),
            (
                "[a *b*](https://x.example/a_(b) \"T\")",
                "<p><a href=\"https://x.example/a_(b)\" title=\"T\">a <em>b</em></a></p>"
            ),
            ("![alt](https://x.example/a.png)", "<p><img src=\"https://x.example/a.png\" alt=\"alt\"></p>"),
            ("[![a](b.png)](c)", "<p><a href=\"c\"><img src=\"b.png\" alt=\"a\"></a></p>"),
            ("[not a link]", "<p>[not a link]</p>"),
            (
                "<https://x.example/?a=1&b=2>",
                "<p><a href=\"https://x.example/?a=1&amp;b=2\">https://x.example/?a=1&amp;b=2</a></p>"
            ),
            ("<ann@x.example>", "<p><a href=\"mailto:ann@x.example\">ann@x.example</a></p>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>"),
            ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
            ("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul></li>\n<li>c</li>\n</ul>"),
            ("> a\n> b\n\nc", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n<p>c</p>"),
            ("```\na < b\n\n  c\n```", "<pre><code>a &lt; b\n\n  c\n</code></pre>"),
            ("<div>\n*raw*\n</div>\n\n*md*", "<div>\n*raw*\n</div>\n<p><em>md</em></p>"),
            ("Hello <b>you</b>", "<p>Hello <b>you</b></p>"),
            (
                "Hi {{ contact.first_name | default: \"*you*\" }}",
                "<p>Hi {{ contact.first_name | default: \"*you*\" }}</p>"
            ),
            ("{% if a %}\n\n# Hi\n\n{% endif %}", "{% if a %}\n<h1>Hi</h1>\n{% endif %}"),
            ("[a]({{ url }}?b=1)", "<p><a href=\"{{ url }}?b=1\">a</a></p>"),
            ("", ""), ("***a***", "<p><em><strong>a</strong></em></p>"),
            ("**a *b*** c*", "<p><strong>a <em>b</em></strong> c*</p>"),
            ("[a [b](c) d](e)", "<p><a href=\"e\">a <a href=\"c\">b</a> d</a></p>"),
            ("[a](<b c>)", "<p><a href=\"b c\">a</a></p>"),
            ("*a**b**c*", "<p><em>a<strong>b</strong>c</em></p>"),
        ])
    func construct(_ markdown: String, _ html: String) throws {
        #expect(try Markdown.toHTML(markdown).trimmingNewlines == html)
    }

    @Test("Long hostile texts cost what their length costs", .timeLimit(.minutes(1)))
    func long() throws {
        let samples = [
            "[a](<b", "[a](b", "[", "*a*", "**a_b", "<a", "![", "a  \n|", "[x](y) ", "`` ` ",
        ].map { String(repeating: $0, count: 40_000 / $0.utf8.count) }
        for sample in samples { #expect(try Markdown.toHTML(sample).utf8.count >= 40_000 / 4) }
    }

    @Test("Odd and hostile texts end in time, and are harmless after cleaning")
    func hostile() throws {
        let samples = [
            String(repeating: "[", count: 5000), String(repeating: "*a ", count: 5000),
            String(repeating: "> ", count: 500) + "x",
            String(repeating: "- ", count: 500) + "x", String(repeating: "`", count: 3000) + "a",
            "[a](javascript:alert(1))",
            "<script>alert(1)</script>", "[a](<javascript:alert(1)>)", "![a](x \"onerror=alert(1)\")",
            "[a](\u{0}java\nscript:alert(1))",
        ]
        for sample in samples {
            let html = try HTMLSanitizer(policy: .richText).clean(Markdown.toHTML(sample)).html
            #expect(!html.contains("<script") && !html.contains("href=\"javascript"))
        }
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self[...]
        while text.last == "\n" { text = text.dropLast() }
        return String(text)
    }
}
