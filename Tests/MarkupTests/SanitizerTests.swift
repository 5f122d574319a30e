import Markup
import Testing

@Suite("HTML sanitizer")
struct SanitizerTests {
    private func clean(_ html: String, _ policy: SanitizerPolicy = .emailBody) throws -> String {
        try HTMLSanitizer(policy: policy).clean(html).html
    }

    /// Samples that other parsers and browsers read differently from libxml2, and old friends.
    static let hostile: [String] = [
        "<!--><img src=x onerror=alert(1)>-->",
        "<!---><img src=x onerror=alert(1)>-->",
        "<!-- --!><img src=x onerror=alert(1)>-->",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<svg><script>alert(1)</script></svg>",
        "<svg onload=alert(1)>",
        "<?xml version=\"1.0\" ><img src=x onerror=alert(1)>",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "<![CDATA[><img src=x onerror=alert(1)>",
        "<a href=\"java&#x09;script:alert(1)\">x</a>",
        "<a href=\"java\nscript:alert(1)\">x</a>",
        "<a href=\" javascript:alert(1)\">x</a>",
        "<a href=\"&#1;javascript:alert(1)\">x</a>",
        "<a href=\"JaVaScRiPt:alert(1)\">x</a>",
        "<a href=\"javascript&colon;alert(1)\">x</a>",
        "<a href=\"javascript&#58;alert(1)\">x</a>",
        "<a href=\"javascript:\u{301}//%0aalert(1)\">x</a>",
        "<a href=\"vbscript:msgbox(1)\">x</a>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<a href='javascript:{{ x }}'>x</a>",
        "<a href='java{{ x }}script:alert(1)'>x</a>",
        "<a href='javascript{% if a %}{% endif %}:alert(1)'>x</a>",
        "<a href='{% if a %}https://ok{% else %}javascript:alert(1){% endif %}'>x</a>",
        "<a href='{% echo \"java\" %}script:alert(1)'>x</a>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style><img onerror=alert(1) src>\">",
        "<img src=x onerror=alert(1)>",
        "<img src=\"javascript:alert(1)\">",
        "<img/src=x/onerror=alert(1)>",
        "<img src=`x` onerror=alert(1)>",
        "<img \"\"\"><script>alert(1)</script>\">",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<<script>alert(1)//<</script>",
        "<script src=//evil.example/x.js",
        "<iframe src=\"javascript:alert(1)\"></iframe>",
        "<object data=\"x.swf\"><embed src=x></object>",
        "<base href=\"https://evil.example/\">",
        "<meta http-equiv=\"refresh\" content=\"0;url=javascript:alert(1)\">",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<style>p { background: url(javascript:alert(1)) }</style>",
        "<style>p { behavior: url(x.htc); -moz-binding: url(x) }</style>",
        "<style></style><img src=x onerror=alert(1)></style>",
        "<style>a{color:red}<\u{2F}style><script>alert(1)</script></style>",
        "<p style=\"width: expression(alert(1))\">x</p>",
        "<p style=\"width: exp/**/ression(alert(1))\">x</p>",
        "<p style=\"background:\\75rl(javascript:alert(1))\">x</p>",
        "<p style=\"position:fixed;top:0;left:0;width:100%;height:100%\">x</p>",
        "<p style=\"color:red;\u{301}position:fixed\">x</p>",
        "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\"></textarea>",
        "<title><img title=\"</title><img src=x onerror=alert(1)>\"></title>",
        "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\"></xmp>",
        "<noembed><img title=\"</noembed><img src=x onerror=alert(1)>\"></noembed>",
        "<template><img src=x onerror=alert(1)></template>",
        "<table background=\"javascript:alert(1)\"><tr><td background=\"javascript:alert(1)\">x</table>",
        "<body onload=alert(1)><p onmouseover=alert(1)>x",
        "<html manifest=\"x\"><frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>",
        "<html><body><html onload=alert(1)><body onload=alert(1)><head onload=alert(1)>x",
        "<p title='\"><script>alert(1)</script>'>x</p>",
        "<p title=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">x</p>",
        "<div {{ x }}onclick=alert(1)>x</div>",
        "<div {% if x %}onclick=\"alert(1)\"{% endif %}>x</div>",
        "{{ \"<script>alert(1)</script>\" }}",
        "{% raw %}{% \"><script>alert(1)</script>\" %}{% endraw %}",
        "<p title=\"{{ ' onclick=alert(1) ' }}\">x</p>",
        "<p title=\"{{ \" onclick=alert(1) x='\" }}\">x</p>",
        "{{ unclosed <script>alert(1)</script>",
        "<p>\u{E004}0\u{E005}\u{E000}1\u{E001}&#xE000;2&#xE001;</p>",
        "<a href=\"\u{E004}0\u{E005}javascript:alert(1)\">{{ x }}</a>",
        "<p>a\u{0}<scr\u{0}ipt>alert(1)</script></p>",
        "<plaintext><img src=x onerror=alert(1)>",
        "<select><style></select><img src=x onerror=alert(1)></style>",
        "<a id=x></a><a id=x></a><form id=x><input name=attributes></form>",
        "<p><form><p>nested</p></form></p><a href=x><a href=y>z</a></a>",
        "<table><tr><td><p><table><p>x</table></p>y<li>z",
        "<!doctype html><html><head><title>a</title><img src=x onerror=alert(1)></head><body>b",
        "{% assign x = 1 %}<!doctype html><html><head>{% if a %}<style>a{color:red}</style>{% endif %}</head>b</html>",
        "<!--[if mso]><img src=x onerror=alert(1)><![endif]-->",
        "<![if !mso]><img src=x onerror=alert(1)><![endif]>",
    ]

    @Test("Nothing that could run code is left of a hostile sample", arguments: hostile, [0, 1, 2])
    func hostileSample(_ sample: String, _ policy: Int) throws {
        let policies: [SanitizerPolicy] = [.emailBody, .landingPage, .richText]
        let html = try clean(sample, policies[policy])
        try expectHarmless(html)
        #expect(try clean(html, policies[policy]) == html, "Cleaning again must change nothing")
    }

    /// Reads the result with Liquid left out and judges every element and attribute.
    private func expectHarmless(_ html: String) throws {
        let lower = html.lowercased()
        for text in ["<script", "<svg", "<math", "<iframe", "<style><", "expression(", "<!--><", "<noscript"] {
            #expect(!lower.contains(text), "\(html)")
        }
        let document = try HTMLDocument.parse(html, liquid: true)
        document.walk { element, _ in
            for attribute in element.attributes {
                #expect(!attribute.name.hasPrefix("on"), "\(html)")
                let value = attribute.value.lowercased().filter { !$0.isWhitespace }
                #expect(
                    !value.hasPrefix("javascript:") && !value.hasPrefix("vbscript:") && !value.hasPrefix("data:"),
                    "\(html)")
                if attribute.name == "style" { #expect(!value.contains("position"), "\(html)") }
            }
        }
        let plain = try HTMLDocument.parse(html)
        plain.walk { element, _ in
            #expect(!element.attributes.contains { $0.name.hasPrefix("on") }, "\(html)")
        }
    }

    @Test("Random mixtures of tricky pieces come out harmless and stable")
    func randomMixtures() throws {
        let pieces =
            Self.hostile + [
                "<table>", "<tr>", "<td>", "</td>", "</table>", "<p>", "</p>", "<b>", "</i>", "{% if x %}",
                "{% endif %}", "{{ y }}",
                "<div style=\"", "\"", "'", ">", "<", "<!--", "-->", "<style>", "</style>", "a{color:red}", "&lt;",
                "&amp;lt;",
                "<a href=", "https://a.example/", "<ul><li>", "</div>", "<font color=red>", "<title>", "]]>",
                "<pre>\n\n",
            ]
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for round in 0..<400 {
            var html = ""
            for _ in 0...next(8) { html += pieces[next(pieces.count)] }
            let policy: SanitizerPolicy = round.isMultiple(of: 2) ? .emailBody : .richText
            guard let once = try? clean(html, policy) else { continue }
            try expectHarmless(once)
            #expect(try clean(once, policy) == once, "\(html)")
        }
    }

    @Test("A megabyte of nesting is refused, not crashed upon")
    func deepNesting() {
        let html = String(repeating: "<div>", count: 200_000)
        #expect(throws: MarkupError.tooDeep(limit: 256)) { try clean(html) }
        #expect(throws: MarkupError.tooLarge(limit: 10)) {
            try HTMLSanitizer(policy: .richText, limits: MarkupLimits(bytes: 10)).clean("<p>hello</p>")
        }
        let attributes = (0..<300).map { " a\($0)=1" }.joined()
        #expect(throws: MarkupError.tooManyAttributes(limit: 200)) { try clean("<p\(attributes)>x</p>") }
    }

    @Test("Ordinary e-mail HTML stays as it was")
    func ordinary() throws {
        let html = """
            <table role="presentation" width="100%" cellpadding="0"><tr><td style="padding:8px;color:#333" align="center">
            <h1>Hello</h1><p>Tom &amp; Ann&nbsp;– 5 &lt; 6</p><a href="https://shop.example/?a=1&amp;b=2" target="_blank">Shop</a>
            <img src="https://shop.example/a.png" alt="" width="600" height="200"></td></tr></table>
            """
        #expect(try clean(html) == html)
    }

    @Test("A whole document keeps its head, cleaned")
    func document() throws {
        let html = try clean(
            """
            <!doctype html><html lang="de" onclick=x><head><meta charset=utf-8><meta name=viewport content="width=device-width">
            <meta http-equiv=refresh content=0><title>A & B</title><script>x</script>
            <style>/* c */ p { color: red; position: fixed } @media (max-width:480px) { .a { width: 100% !important } } a:hover { color: blue }
            @font-face { font-family: x }</style></head><body bgcolor="#fff"><p>x</body></html>
            """)
        #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"de\"><head><meta charset=\"utf-8\">"))
        #expect(html.contains("<meta name=\"viewport\" content=\"width=device-width\">"))
        #expect(html.contains("<title>A &amp; B</title>"))
        #expect(
            html.contains(
                "<style>p { color:red }\n@media (max-width:480px) {\n.a { width:100% !important }\n}\na:hover { color:blue }</style>"
            ))
        #expect(html.contains("<body bgcolor=\"#fff\"><p>x"))
        #expect(!html.contains("refresh") && !html.contains("font-face") && !html.contains("script"))
    }

    @Test(
        "Liquid stays where it was",
        arguments: [
            "<p>Hello {{ contact.first_name | default: \"friend\" }}, {% if vip %}<b>thanks</b>{% endif %}</p>",
            "<a href=\"{{ url }}?x={{ contact.id }}\">x</a>",
            "<a href=\"https://shop.example/{{ contact.id }}?a=1\">x</a>",
            "<a href=\"{% if a %}https://a.example{% else %}{{ b }}{% endif %}\">x</a>",
            "<table>{% for item in items %}<tr><td>{{ item.name }}</td></tr>{% endfor %}</table>",
            "<table><tr>{% for c in columns %}<td>{{ c }}</td>{% endfor %}</tr></table>",
            "<ul>{% for i in list %}<li>{{ i }}</li>{% endfor %}</ul>",
            "<td style=\"color:{{ brand.color }}\">x</td>",
            "<p {% if a %} class=\"x\" {% else %} class=\"y\" {% endif %}>z</p>",
            "{% if a < 3 and b > 4 %}x{% endif %}",
            "<img src=\"{{ image }}\" alt=\"{{ name | default: 'x' }}\">",
            "{%- assign x = 1 -%}<p>{{- x -}}</p>",
            "{% comment %}<b>x</b>{% endcomment %}",
            "hello {{ name }} <b>you</b>",
            "<p style=\"{% if a %}color:red{% endif %};margin:0\">x</p>",
        ])
    func liquid(_ html: String) throws {
        #expect(try clean(html).filter { $0 != " " } == html.filter { $0 != " " })
    }

    @Test("Liquid around the head and the document type survives")
    func liquidInHead() throws {
        let html = try clean(
            "{% assign a = 1 %}<!DOCTYPE html><html><head>{% if a %}<style>p { color:red }</style>{% endif %}<title>{{ t }}</title></head>{% if b %}<body><p>x</p>{% endif %}</body></html>"
        )
        #expect(
            html.hasPrefix(
                "{% assign a = 1 %}<!DOCTYPE html>\n<html><head>{% if a %}<style>p { color:red }</style>{% endif %}<title>{{ t }}</title>"
            ))
        #expect(html.contains("{% if b %}") && html.contains("<p>x</p>{% endif %}</body>"))
    }

    @Test(
        "Text that looks like our own marks stays, and finding a mark of its own for a source full of them is quick",
        .timeLimit(.minutes(1)))
    func likeMarks() throws {
        #expect(try clean("<p>lq0z LQ1z lq7zt0 {{ b }}</p>") == "<p>lq0z LQ1z lq7zt0 {{ b }}</p>")
        let full: String = (0..<100_000).map { "lq\($0)z " }.joined()
        #expect(try clean("<p>\(full){{ b }}</p>").hasSuffix("lq99999z {{ b }}</p>"))
    }

    @Test("Entities inside Liquid, as rich editors write them, become Liquid's own characters")
    func entitiesInLiquid() throws {
        #expect(try clean("{% if a &gt; 3 &amp;&amp; b %}x{% endif %}") == "{% if a > 3 && b %}x{% endif %}")
        #expect(
            try clean("<p title=\"{{ a | default: &quot;b&quot; }}\">x</p>")
                == "<p title=\"{{ a | default: 'b' }}\">x</p>")
        #expect(try clean("<p title='{{ a | default: \"b\" }}'>x</p>") == "<p title=\"{{ a | default: 'b' }}\">x</p>")
    }

    @Test("Comments go; Liquid hidden in them stays; our own Outlook table stays")
    func comments() throws {
        #expect(
            try clean("<!-- {% if a %} --><p>x</p><!-- {% endif %} {{ out }} --><!-- note -->")
                == "{% if a %}<p>x</p>{% endif %}")
        let ghost = "<!--\(OutlookComment.openTable)--><p>x</p><!--\(OutlookComment.closeTable)-->"
        #expect(try clean(ghost) == ghost)
    }

    @Test("Rich text keeps no looks and no document")
    func richText() throws {
        let html = try clean(
            "<html><head><title>t</title></head><body><p style='color:red' class=a>x <b>y</b><table><tr><td>z</table>",
            .richText)
        #expect(html == "<p>x <b>y</b></p>z")
        #expect(
            try clean("<a href=https://a.example target=x>y</a>", .richText)
                == "<a href=\"https://a.example\" target=\"_blank\" rel=\"noopener noreferrer\">y</a>")
    }

    @Test("A wrapped fragment survives cleaning unchanged and has what mail programs want")
    func wrap() throws {
        let fragment = try clean("<h1>Hi {{ contact.first_name }}</h1><p>Text</p>")
        let html = try EmailDocument.wrap(
            fragment: fragment, title: "News & {{ month }}", language: "de", previewText: "Only {{ days }} <days>")
        #expect(
            html.contains("<html lang=\"de\" dir=\"ltr\">") && html.contains("<title>News &amp; {{ month }}</title>"))
        #expect(html.contains(">Only {{ days }} &lt;days&gt;&zwnj;&nbsp;") && html.contains(OutlookComment.openTable))
        let cleaned = try clean(html)
        #expect(cleaned.contains(OutlookComment.openTable) && cleaned.contains("mso-hide:all"))
        #expect(cleaned.contains("max-width:600px") && cleaned.contains("@media only screen and (max-width:480px)"))
        #expect(cleaned.contains("<meta name=\"color-scheme\" content=\"light dark\">"))
        #expect(try EmailDocument.wrap(fragment: cleaned, title: "x", previewText: "again") == cleaned)
        #expect(
            try EmailDocument.wrap(
                fragment: "<html><body bgcolor=\"#fff\"><p>a</p></body></html>", title: "", previewText: "pre"
            )
            .contains("<body bgcolor=\"#fff\">\n<div class=\"preheader\""))
    }
}
