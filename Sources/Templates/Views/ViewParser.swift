/// Reads one view file into nodes. It goes on after a mistake, so that one start shows all of them.
struct ViewParser {
    let source: TemplateSource
    private let tokens: [TemplateToken]
    private var place = 0
    private var file: ViewFile
    private(set) var errors: [TemplateError] = []
    let assets: ViewAssets

    private init(_ source: TemplateSource, name: String, assets: ViewAssets) {
        self.source = source
        self.assets = assets
        tokens = TemplateLexer.tokens(of: source)
        file = ViewFile(name: name, source: source)
    }

    static func parse(_ source: TemplateSource, name: String, assets: ViewAssets) -> (ViewFile, [TemplateError]) {
        var parser = ViewParser(source, name: name, assets: assets)
        parser.file.body = parser.body(of: nil, until: []).nodes
        return (parser.file, parser.errors)
    }

    mutating func report(_ message: String, at offset: Int) {
        errors.append(TemplateError(message, at: offset, in: source))
    }

    /// A tag that has been read up to its name.
    struct Tag {
        let name: String
        let offset: Int
        var parser: ExpressionParser
    }

    /// Nodes up to one of the closing words; the closing tag is taken and returned.
    mutating func body(of opener: Tag?, until ends: Set<String>) -> (nodes: [ViewNode], end: Tag?) {
        var nodes: [ViewNode] = []
        while place < tokens.count {
            let token: TemplateToken = tokens[place]
            place += 1
            switch token.kind {
            case .text: nodes.append(.text(trimmed(token, index: place - 1)))
            case .output: output(token, into: &nodes)
            case .unclosedOutput: report("this {{ has no }}", at: token.range.lowerBound)
            case .unclosedTag: report("this {% has no %}", at: token.range.lowerBound)
            case .tag:
                guard let tag = self.tag(token) else { continue }
                if ends.contains(tag.name) {
                    finish(tag, unless: ["elsif", "when"])
                    return (nodes, tag)
                }
                self.node(tag, opener: opener, into: &nodes)
            }
        }
        if let opener {
            report("{% \(opener.name) %} has no {% end\(opener.name) %}", at: opener.offset)
        }
        return (nodes, nil)
    }

    private mutating func finish(_ tag: Tag, unless names: Set<String>) {
        guard !names.contains(tag.name) else { return }
        attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            try words.expectEnd()
        }
    }

    /// Runs something that may find a mistake, and keeps the mistake.
    @discardableResult
    mutating func attempt<Result>(
        _ work: (inout ViewParser) throws(TemplateError) -> Result
    ) -> Result? {
        do throws(TemplateError) {
            return try work(&self)
        } catch {
            errors.append(error)
            return nil
        }
    }

    private func trimmed(_ token: TemplateToken, index: Int) -> Range<Int> {
        var lower: Int = token.range.lowerBound
        var upper: Int = token.range.upperBound
        if index > 0, tokens[index - 1].trimsAfter {
            while lower < upper, ASCII.isSpace(source.bytes[lower]) { lower += 1 }
        }
        if index + 1 < tokens.count, tokens[index + 1].trimsBefore {
            while upper > lower, ASCII.isSpace(source.bytes[upper - 1]) { upper -= 1 }
        }
        return lower..<upper
    }

    /// Reads what stands between the delimiters. Braces in quotes are told before any mistake that follows from them.
    private mutating func read<Result>(
        _ token: TemplateToken, _ work: (TemplateSource) throws(TemplateError) -> Result
    ) -> Result? {
        let braces: TemplateError? = ViewLiteral.braces(in: source, token.content)
        if let braces { errors.append(braces) }
        do throws(TemplateError) {
            return try work(source)
        } catch {
            if braces == nil { errors.append(error) }
            return nil
        }
    }

    private mutating func tag(_ token: TemplateToken) -> Tag? {
        read(token) { source throws(TemplateError) in
            var parser = try ExpressionParser(source, in: token.content)
            let offset: Int = parser.current.range.lowerBound
            return Tag(name: try parser.identifier("the name of a tag"), offset: offset, parser: parser)
        }
    }

    private mutating func output(_ token: TemplateToken, into nodes: inout [ViewNode]) {
        let node: ViewNode? = read(token) { source throws(TemplateError) in
            var parser = try ExpressionParser(source, in: token.content)
            let offset: Int = parser.current.range.lowerBound
            let value: FilteredExpression = try parser.filteredExpression()
            try parser.expectEnd()
            return .output(value, at: offset)
        }
        if let node { nodes.append(node) }
    }

    /// Skips to the end of a comment or a raw block; returns the bytes between.
    mutating func skip(_ opener: Tag) -> Range<Int> {
        let start: Int = place < tokens.count ? tokens[place].range.lowerBound : source.bytes.count
        while place < tokens.count {
            let token: TemplateToken = tokens[place]
            place += 1
            let words = source.text(token.content).split { $0 == " " || $0 == "\n" || $0 == "\t" }
            if token.kind == .tag, words.first.map(String.init) == "end\(opener.name)" {
                return start..<token.range.lowerBound
            }
        }
        report("{% \(opener.name) %} has no {% end\(opener.name) %}", at: opener.offset)
        return start..<start
    }

    mutating func setPage(_ name: String, at offset: Int) {
        if file.page != nil { report("a view belongs to one page", at: offset) }
        file.page = (name, offset)
    }

    mutating func setLayout(_ call: ViewCall) {
        if file.layout != nil { report("a view has one layout", at: call.offset) }
        file.layout = call
    }

    mutating func add(_ parameter: ViewParameter) {
        if file.parameters.contains(where: { $0.name == parameter.name }) {
            report("the parameter '\(parameter.name)' is declared twice", at: parameter.offset)
        }
        file.parameters.append(parameter)
    }
}

/// What tags need to know of the files served beside the views.
struct ViewAssets: Sendable {
    let url: @Sendable (String) -> String?
    let sprite: String
    let icons: Set<String>?
}
