import Markup
import Testing

@Suite("E-mail tools: styles, text version, links")
struct MailTests {
    // MARK: CSSInliner

    @Test(
        "Rules go into style attributes by specificity, order and importance",
        arguments: [
            ("<style>p { color: red }</style><p>x</p>", "<p style=\"color:red\">x</p>"),
            (
                "<style>.a{color:red} p{color:blue}</style><p class=\"a b\">x</p>",
                "<p class=\"a b\" style=\"color:red\">x</p>"
            ),
            (
                "<style>#i{color:red} p.a{color:blue}</style><p id=\"i\" class=\"a\">x</p>",
                "<p id=\"i\" class=\"a\" style=\"color:red\">x</p>"
            ),
            ("<style>p{color:red !important}</style><p style=\"color:blue\">x</p>", "<p style=\"color:red\">x</p>"),
            (
                "<style>p{color:red}</style><p style=\"color:blue;margin:0\">x</p>",
                "<p style=\"color:blue;margin:0\">x</p>"
            ),
            (
                "<style>div b{color:red} div > b{margin:0}</style><div><p><b>x</b></p><b>y</b></div>",
                "<div><p><b style=\"color:red\">x</b></p><b style=\"color:red;margin:0\">y</b></div>"
            ),
            (
                "<style>p{margin:1px;margin-top:2px} .a{margin:3px}</style><p class=\"a\">x</p>",
                "<p class=\"a\" style=\"margin-top:2px;margin:3px\">x</p>"
            ),
            (
                "<style>a{color:red} a:hover, b{color:blue}</style><a>x</a><b>y</b>",
                "<style>a:hover { color:blue }</style><a style=\"color:red\">x</a><b style=\"color:blue\">y</b>"
            ),
            (
                "<style>@media (max-width:480px){p{color:red}} p{color:blue}</style><p>x</p>",
                "<style>@media (max-width:480px) {\np { color:red }\n}</style><p style=\"color:blue\">x</p>"
            ),
            ("<style>p{color:{{ c }}}</style><p>x</p>", "<p style=\"color:{{ c }}\">x</p>"),
        ])
    func inlining(_ html: String, _ expected: String) throws {
        #expect(try CSSInliner.inline(html) == expected)
    }

    // MARK: PlainText

    @Test("The text version reads as a person would type it")
    func plainText() throws {
        let html = """
            <html><head><title>t</title><style>p{}</style></head><body><div style="display:none">preview</div>
            <h1>Big  news</h1><p>Hello {{ contact.first_name | default: "friend" }},<br>this &amp; that&nbsp;&lt;3.</p>
            <ul><li>one</li><li>two <b>bold</b></li></ul><ol><li>first</li><li>second</li></ol>
            <p>See <a href="https://shop.example/a?b=1&amp;c=2">the shop</a>, <a href="https://x.example">https://x.example</a> or
            <a href="mailto:ann@x.example?subject=Hi">ann@x.example</a>.</p>
            <table role="presentation"><tr><td><p>left</p></td><td><p>right</p></td></tr></table>
            <table><tr><th>Item</th><th>Price</th></tr>{% for i in items %}<tr><td>{{ i.name }}</td><td>{{ i.price }}</td></tr>{% endfor %}</table>
            <blockquote>quoted</blockquote><hr><img src="a.png" alt="A picture"></body></html>
            """
        #expect(
            try PlainText.from(html) == """
                Big news
                ========

                Hello {{ contact.first_name | default: "friend" }},
                this & that <3.

                - one
                - two bold

                1. first
                2. second

                See the shop <https://shop.example/a?b=1&c=2>, https://x.example or
                ann@x.example.

                left

                right

                Item | Price
                {% for i in items %}{{ i.name }} | {{ i.price }}
                {% endfor %}
                > quoted

                ----------------------------------------

                A picture

                """)
    }

    @Test("Liquid branches around blocks leave no extra blank lines when rendered")
    func branches() throws {
        #expect(
            try PlainText.from("<p>a</p>{% if x %}<p>b</p>{% endif %}<p>c</p>") == "a\n{% if x %}\nb\n{% endif %}\nc\n")
        #expect(
            try PlainText.from("<ul>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ul><pre>x\n  y</pre>")
                == "{% for i in l %}- {{ i }}\n{% endfor %}\nx\n  y\n")
    }

    @Test("Lines end near the width, and addresses and Liquid are never broken")
    func wrapping() throws {
        let address = "https://shop.example/" + String(repeating: "x", count: 90)
        let words = String(repeating: "word ", count: 40)
        let text = try PlainText.from(
            "<p>\(words)<a href=\"\(address)\">link</a> {{ contact.properties.a_rather_long_name | default: \"some one\" }}</p>"
        )
        #expect(
            text.contains("<\(address)>")
                && text.contains("{{ contact.properties.a_rather_long_name | default: \"some one\" }}"))
        for line in text.split(separator: "\n") where !line.contains(address) { #expect(line.count <= 78) }
    }

    // MARK: Links

    @Test("Links and pictures are found with what a check needs to know")
    func discovery() throws {
        let found = try LinkDiscovery.discover(
            """
            <a href="https://a.example/?x={{ y }}">A <b>b</b></a><a href="mailto:a@b.example">m</a><a href="tel:+49">t</a><a href="#top">u</a>
            <a href="">e</a><a href="#">e</a><a>e</a><a name="top"></a><a href="{{ url }}"><img src="i.png" alt="Pic"></a><a href="/sale">r</a>
            <a href="{{ unsubscribe_url }}">off</a><a href="https://a.example" data-track="off">n</a><img src="{{ p }}" width="10" height="20">
            """)
        #expect(
            found.links.map(\.kind) == [
                .http, .mailto, .tel, .anchor, .empty, .empty, .empty, .liquid, .relative, .liquid, .http,
            ])
        #expect(
            found.links.map(\.isTrackable) == [
                true, false, false, false, false, false, false, true, false, false, false,
            ])
        #expect(
            found.links[0].href == "https://a.example/?x={{ y }}" && found.links[0].text == "A b"
                && found.links[7].text == "Pic")
        #expect(found.links[9].purpose == .unsubscribe)
        #expect(
            found.images.map(\.alternative) == ["Pic", nil] && found.images[1].source == "{{ p }}"
                && found.images[1].width == "10")
    }

    @Test("Trackable addresses become slots, and rendered HTML is cut at them")
    func slots() throws {
        let html = """
            <!DOCTYPE html>
            <html><body bgcolor="#fff"><a href="https://a.example/?a=1&amp;b=2">1</a><a href="{{ item.url }}?c={{ contact.id }}">2</a>\
            <a href="mailto:x@y.example">3</a><a href="{{ unsubscribe_url }}">4</a><a href="{{ preferences_url }}">5</a>\
            <a href="https://b.example" data-track="off">6</a></body></html>
            """
        let slotted = try LinkSlots.prepare(html)
        #expect(
            slotted.html == """
                <!DOCTYPE html>
                <html><body bgcolor="#fff">\u{E000}p\u{E001}<a href="\u{E000}0\u{E001}">1</a>\
                <a href="\u{E000}1\u{E002}{{ item.url }}?c={{ contact.id }}\u{E001}">2</a><a href="mailto:x@y.example">3</a>\
                <a href="\u{E000}u\u{E001}">4</a><a href="\u{E000}m\u{E001}">5</a><a href="https://b.example">6</a></body></html>
                """)
        #expect(slotted.links.map(\.href) == ["https://a.example/?a=1&b=2", "{{ item.url }}?c={{ contact.id }}"])
        #expect(slotted.hasUnsubscribeLink)
        let rendered = slotted.html.replacing("{{ item.url }}", with: "https://i.example/&amp;").replacing(
            "{{ contact.id }}", with: "7")
        let cut = SlotSegments(rendered: rendered.utf8, linkCount: 2)
        #expect(
            cut.slots == [
                .pixel, .link(0, address: nil), .link(1, address: "https://i.example/&?c=7"), .unsubscribe,
                .preferences,
            ])
        #expect(cut.segments.count == 6 && String(decoding: cut.segments[1], as: UTF8.self) == "<a href=\"")
        #expect(
            String(decoding: cut.segments[5], as: UTF8.self)
                == "\">5</a><a href=\"https://b.example\">6</a></body></html>")
        let untracked = try LinkSlots.prepare(html, tracksLinks: false)
        #expect(
            untracked.links.isEmpty && untracked.html.contains("{{ item.url }}") && untracked.html.contains("\u{E000}u")
        )
    }

    @Test("Malformed slots never reach the reader and never crash")
    func malformedSlots() {
        let cut = SlotSegments(rendered: "a\u{E000}9\u{E001}b\u{E000}b\u{E000}u\u{E001}c\u{E000}".utf8, linkCount: 2)
        #expect(cut.slots == [.unsubscribe])
        #expect(SlotSegments(rendered: "\u{E000}0\u{E002}x".utf8, linkCount: 1).slots.isEmpty)
    }

    // MARK: Selectors

    @Test("A document answers simple selectors")
    func selectors() throws {
        let document = try HTMLDocument.parse(
            "<html><body><form action='/x' class='f g'><p><input name=name type=text></p><input name=other></form><input name=name></body></html>"
        )
        #expect(document.all("form[action='/x'] input[name=name]").count == 1)
        #expect(document.all("form > input").map { $0["name"] } == ["other"])
        #expect(document.all(".f.g input, p").count == 3 && document.all("input[type]").count == 1)
        #expect(
            document.all("form[action^='/'] [name*=th]").count == 1 && document.all("a:hover").isEmpty
                && document.all("form >").isEmpty)
        #expect(document.first("form")?.classes == ["f", "g"])
    }
}
