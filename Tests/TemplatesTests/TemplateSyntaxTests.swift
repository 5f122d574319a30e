import Testing

@testable import Templates

struct TemplateSyntaxTests {
    private func kinds(_ text: String) -> [TemplateToken.Kind] {
        TemplateLexer.tokens(of: TemplateSource(text)).map(\.kind)
    }

    @Test("a template splits into text, outputs and tags that together are the whole source")
    func tokens() {
        let source = TemplateSource("Hi {{- name -}} and {% if x %}ü{% endif -%}.")
        let tokens: [TemplateToken] = TemplateLexer.tokens(of: source)
        #expect(tokens.map(\.kind) == [.text, .output, .text, .tag, .text, .tag, .text])
        #expect(tokens.map { source.text($0.range) }.joined() == source.text(source.bytes.indices))
        #expect(source.text(tokens[1].content) == " name ")
        #expect(tokens[1].trimsBefore && tokens[1].trimsAfter)
        #expect(!tokens[5].trimsBefore && tokens[5].trimsAfter)
    }

    @Test("openings without an end cost one look at what follows, not one each", .timeLimit(.minutes(1)))
    func unclosedTags() {
        #expect(kinds(String(repeating: "{% if ", count: 100_000)).count == 200_000)
        #expect(kinds("{% a {% b %} {% c").map { $0 } == [.tag, .text, .unclosedTag, .text])
        #expect(kinds("{{ a {% b {% c %}{{ d }}") == [.unclosedOutput, .output])
    }

    @Test("delimiters without an end are told apart")
    func unclosed() {
        #expect(kinds("a {{ b") == [.text, .unclosedOutput])
        #expect(kinds("a {{ b } c") == [.text, .unclosedOutput, .text])
        #expect(kinds("{% if") == [.unclosedTag, .text])
        #expect(kinds("{{ a {% b %}c") == [.unclosedOutput, .text])
        #expect(kinds("{ { } %}") == [.text])
        #expect(kinds("{{-}}{%-%}{{}}") == [.output, .tag, .output])
    }

    @Test("an error shows the line, the column in characters, and a caret under the place")
    func errorPlace() {
        let source = TemplateSource("one\nzwölf {{ a ! }}\nthree", name: "letter")
        let error = TemplateError("no", at: source.bytes.firstIndex(of: 33) ?? 0, in: source)
        #expect(error.summary == "letter:2:12: no")
        #expect(error.rendered == "letter:2:12: no\nzwölf {{ a ! }}\n           ^")
    }

    @Test("paths, ranges, filters and their arguments are read")
    func expressions() throws {
        let source = TemplateSource("a.b['c'][d.e].first-name | f: 1, x: 2.5, (1..n) | contains")
        #expect(throws: TemplateError.self) {
            var parser = try ExpressionParser(source, in: source.bytes.indices)
            _ = try parser.filteredExpression()
        }
        let good = TemplateSource("a.b['c'][d.e].first-name | f: 1, x: 2.5, (1..n) | g")
        var parser = try ExpressionParser(good, in: good.bytes.indices)
        let value: FilteredExpression = try parser.filteredExpression()
        guard case .variable(let path) = value.expression else {
            Issue.record("expected a variable")
            return
        }
        #expect(path.staticName == "a.b.c")
        #expect(path.segments.count == 4)
        #expect(value.filters.map(\.name) == ["f", "g"])
        #expect(value.filters[0].arguments.count == 2)
        #expect(value.filters[0].named == [.init(name: "x", value: .double(2.5))])
        #expect(parser.isAtEnd)
    }
}
