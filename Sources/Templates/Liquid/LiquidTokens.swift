/// Tokens with a place in them, and what white space control has to know about the neighbours.
struct LiquidTokens {
    private let tokens: [TemplateToken]
    private var place = 0
    /// The token before the current one, as far as trimming goes, ended in a dash.
    private var trims = false
    private(set) var trimsStartOfCurrent = false

    init(_ tokens: [TemplateToken]) {
        self.tokens = tokens
    }

    var next: TemplateToken? { place < tokens.count ? tokens[place] : nil }

    mutating func take() -> TemplateToken? {
        guard place < tokens.count else { return nil }
        let token: TemplateToken = tokens[place]
        place += 1
        trimsStartOfCurrent = trims
        trims = token.trimsAfter
        return token
    }

    /// The lines of a `liquid` tag, as tags without delimiters. Empty lines are left out.
    static func lines(of source: TemplateSource, in range: Range<Int>) -> [TemplateToken] {
        var tokens: [TemplateToken] = []
        var start: Int = range.lowerBound
        while start <= range.upperBound {
            let end: Int = source.bytes[start..<range.upperBound].firstIndex(of: ASCII.newline) ?? range.upperBound
            let line: Range<Int> = start..<end
            if !source.bytes[line].allSatisfy(ASCII.isSpace) {
                let first: Int = line.first { !ASCII.isSpace(source.bytes[$0]) } ?? start
                tokens.append(
                    TemplateToken(
                        kind: .tag, range: first..<end, content: line, trimsBefore: false, trimsAfter: false))
            }
            start = end + 1
        }
        return tokens
    }
}

/// The variables that a template reads from its data.
struct LiquidVariables {
    struct Use: Sendable {
        let path: String
        let offset: Int
    }

    private(set) var uses: [Use] = []
    private var assigned: Set<String> = []
    private var scopes: [Set<String>] = []

    mutating func assign(_ name: String) {
        assigned.insert(name)
    }

    mutating func enter(_ names: Set<String>) {
        scopes.append(names)
    }

    mutating func leave() {
        scopes.removeLast()
    }

    mutating func read(_ expression: Expression) {
        switch expression {
        case .range(let first, let last):
            read(first)
            read(last)
        case .variable(let path):
            for segment in path.segments {
                if case .index(let key) = segment { read(key) }
            }
            if case .computed(let key) = path.root { read(key) }
            record(path)
        default: break
        }
    }

    private mutating func record(_ path: VariablePath) {
        let root: String
        var text: String
        switch path.root {
        case .name(let name):
            root = name
            text = path.staticName ?? name
        case .computed(.string(let name)):
            root = name
            text = VariablePath(root: .name(name), segments: path.segments, range: path.range).staticName ?? name
        case .computed: return
        }
        if assigned.contains(root) || scopes.contains(where: { $0.contains(root) }) { return }
        for suffix in [".size", ".first", ".last"] where text.hasSuffix(suffix) { text.removeLast(suffix.count) }
        uses.append(Use(path: text, offset: path.range.lowerBound))
    }
}
