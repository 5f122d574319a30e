import FoundationEssentials
import Testing

@testable import Templates

/// Numbers that look random and are the same on every run.
private struct Shuffle: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed: UInt64 = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A small reader of HTML, written apart from the one under test: tags with the names of their attributes, in order,
/// and the attribute values and texts between them.
private struct Skeleton {
    var tags: [String] = []
    /// The values of `href` and `src`.
    var links: [String] = []
    var text = ""

    init(_ html: String) {
        var rest: Substring = html[...]
        while let open = rest.firstIndex(of: "<") {
            text += rest[..<open]
            rest = rest[rest.index(after: open)...]
            var tag = ""
            while let character = rest.popFirst(), character != ">" {
                if character == "\"" || character == "'" {
                    let end = rest.firstIndex(of: character) ?? rest.endIndex
                    if tag.hasSuffix("href=") || tag.hasSuffix("src=") { links.append(String(rest[..<end])) }
                    rest = rest[end...].dropFirst()
                    tag += "\"\""
                } else {
                    tag.append(character)
                }
            }
            tags.append(tag)
            if tag.hasPrefix("script") {
                let end = rest.range(of: "</script")?.lowerBound ?? rest.endIndex
                rest = rest[end...]
            }
        }
        text += rest
    }
}

@Suite struct ViewEscapeTests {
    private static let pieces: [String] = [
        "<", ">", "\"", "'", "&", "`", "=", "/", " ", "\n", "\t", "\u{0}", "</", "<script>", "</script>", "-->", "<!--",
        "javascript:", "JaVa\tScript:", "data:text/html,", "vbscript:", " onerror=", "x", "ä", "\u{2028}", "]]>", "{{",
        "%}", "</title>", "</textarea>", "?a=b&c", "#", "\\", "\u{202E}", "\u{FEFF}", "&#x3c;", "%3C", "../", "//evil",
        ":", "😀", "\r", "\u{B}",
    ]

    private static let view = """
        <!doctype html><html lang="en"><head><title>a {{ title }}</title></head><body class="x {{ title }}" \
        data-a='{{ title }}'><a href="{{ link }}">{{ title }}</a><a href="/p/{{ title }}/q?x={{ title }}#{{ title }}">b</a>\
        <a href='{{ title }}' title="{{ title }}">c</a><textarea aria-label="t">{{ title }}</textarea>\
        <img src="{{ link }}?w=1" alt="{{ title }}"><p{% attr "title" = title if isAdmin %}>{{ title | upcase }}</p>\
        <script type="application/json">{"a":{{ title | json }},"b":{{ tags | json }}}</script>\
        {% for tag in tags %}<i>{{ tag | truncate: 5 }}</i>{% endfor %}<b>{{ query | default: title }}</b></body></html>
        """

    private static func runsScript(_ link: String) -> Bool {
        let seen: String = String(String.UnicodeScalarView(link.unicodeScalars.filter { $0.value > 0x20 })).lowercased()
        return ["javascript:", "data:", "vbscript:"].contains { seen.hasPrefix($0) }
    }

    @Test("No value changes the structure of a page, whatever it holds")
    func structure() throws {
        let library = try Views.load(Self.view)
        func render(_ value: String) throws -> String {
            let page = TestPage(title: value, isAdmin: true, link: value, tags: [value])
            return String(decoding: try library.render(page, chrome: TestChrome()), as: UTF8.self)
        }
        let expected: [String] = Skeleton(try render("x")).tags
        var shuffle = Shuffle(state: 42)
        for _ in 0..<3000 {
            let count = Int.random(in: 1...6, using: &shuffle)
            let value: String = (0..<count).map { _ in Self.pieces.randomElement(using: &shuffle) ?? "" }.joined()
            let found = Skeleton(try render(value))
            #expect(found.tags == expected, "\(value.debugDescription)")
            #expect(!found.text.contains { $0 == "\"" || $0 == "'" }, "\(value.debugDescription)")
            for link in found.links { #expect(!Self.runsScript(link), "\(value.debugDescription)") }
        }
    }

    @Test(
        "The scheme of a link is read as a browser reads it",
        arguments: [
            ("https://a.org/", true), ("HTTP://a.org", true), ("mailto:a@b.org", true), ("tel:+491", true),
            ("/contacts", true), ("?a=b:c", true), ("#x:y", true), ("a/b:c", true), ("//a.org", true), ("", true),
            ("javascript:alert(1)", false), (" javascript:x", false), ("\u{1}javascript:x", false),
            ("java\nscript:x", false), ("JAVASCRIPT:x", false), ("data:text/html,x", false), ("vbscript:x", false),
            ("blob:x", false), ("file:///etc", false), ("\tj\ta\tv\ta\ts\tc\tr\ti\tp\tt:x", false), (":x", false),
        ])
    func scheme(_ url: String, _ isSafe: Bool) throws {
        #expect(ViewEscaping.hasSafeScheme(url) == isSafe)
        let html: String = try Views.render("<a href=\"{{ link }}\">x</a>", page: TestPage(link: url))
        #expect(html.contains("#unsafe-link") == !isSafe)
    }

    @Test("JSON in a script can be read back and cannot end the script")
    func json() throws {
        let value = "</script><!--\u{2028}\"\\\u{1}é&"
        let html: String = try Views.render(
            "<script type=\"application/json\">{{ title | json }}</script>", page: TestPage(title: value))
        let json: String = html.replacing("<script type=\"application/json\">", with: "").replacing(
            "</script>", with: "")
        #expect(json == #""\u003C/script\u003E\u003C!--\u2028\"\\\u0001é\u0026""#)
        #expect(try JSONDecoder().decode(String.self, from: Array(json.utf8).withUnsafeBytes { Data($0) }) == value)
    }

    @Test("A list of records as JSON holds all fields")
    func jsonRecords() throws {
        let html: String = try Views.render(
            "<script type=\"application/json\">{{ rows | json }}</script>", page: TestPage(rows: [TestRow(name: "A")]))
        #expect(
            html.contains(
                #"[{"id":"7","name":"A","email":null,"sent":12408,"rate":0.0412,"opened":null,"href":"/contacts/7","children":[]}]"#
            ))
    }

    @Test("A text area keeps a line break at the beginning of its value")
    func textarea() throws {
        let html: String = try Views.render(
            "<textarea aria-label=\"t\">{{ title }}{{ count }}</textarea>", page: TestPage(title: "\nx"))
        #expect(html == "<textarea aria-label=\"t\">\n\nx2</textarea>")
    }
}

@Suite struct ViewFormatTests {
    @Test(
        "Numbers are written for people",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
            (Int.min, "-9,223,372,036,854,775,808"),
        ])
    func grouped(_ number: Int, _ expected: String) {
        #expect(ViewNumbers.grouped(number) == expected)
    }

    @Test(
        "Sizes and shares are rounded",
        arguments: [
            (ViewNumbers.bytes(999), "999 B"), (ViewNumbers.bytes(1000), "1 kB"),
            (ViewNumbers.bytes(1_449_000), "1.4 MB"),
            (ViewNumbers.bytes(999_960), "1 MB"), (ViewNumbers.percent(0.041_26), "4.1\u{202F}%"),
            (ViewNumbers.percent(1), "100.0\u{202F}%"), (ViewNumbers.percent(.nan), "–\u{202F}%"),
            (ViewNumbers.decimal(-0.5, places: 2, trimmed: true), "-0.5"),
            (ViewNumbers.decimal(1234.999, places: 2, trimmed: true), "1,235"),
        ])
    func sizes(_ found: String, _ expected: String) {
        #expect(found == expected)
    }

    @Test(
        "Moments have their date in the Gregorian calendar",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ])
    func moments(_ seconds: Int, _ expected: String) {
        #expect(ViewMoment(seconds: seconds).iso == expected)
    }

    @Test("Dates follow the zone of chrome, on both sides of a change of the clocks")
    func zones() throws {
        func time(_ seconds: Double, _ zone: String) throws -> String {
            try Views.render(
                "{{ made | datetime }}", page: TestPage(made: Date(timeIntervalSince1970: seconds)),
                chrome: TestChrome(timeZone: zone))
        }
        #expect(try time(1_774_745_999, "Europe/Berlin") == "29 Mar 2026, 01:59")
        #expect(try time(1_774_746_000, "Europe/Berlin") == "29 Mar 2026, 03:00")
        #expect(try time(1_774_746_000, "Asia/Kathmandu") == "29 Mar 2026, 06:45")
        #expect(try time(1_774_746_000, "Nowhere/Town") == "29 Mar 2026, 01:00")
    }

    @Test(
        "Relative times are near at hand",
        arguments: [
            (0, "just now"), (60, "1 minute ago"), (-180, "in 3 minutes"), (3600, "1 hour ago"),
            (86_400 * 2, "2 days ago"), (86_400 * 40, "6 Oct 2023"),
        ])
    func relative(_ secondsAgo: Double, _ expected: String) throws {
        let made = Date(timeIntervalSince1970: 1_700_000_000 - secondsAgo)
        #expect(try Views.render("{{ made | relative }}", page: TestPage(made: made)) == expected)
    }
}
