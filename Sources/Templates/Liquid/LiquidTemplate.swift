import Core

/// A customer's template: compiled once, rendered for every person.
///
/// It sees the data that it is given and the snippets that it is handed, nothing else. Mistakes in its syntax are
/// errors here; what is missing in the data renders as nothing.
package struct LiquidTemplate: Sendable {
    let source: TemplateSource
    let nodes: [LiquidNode]
    package let mode: LiquidMode
    package let limits: LiquidLimits
    /// What the author should look at although it is no error: filters that do not exist.
    package let warnings: [TemplateError]
    private let uses: [LiquidVariables.Use]
    private let snippets: [Snippet]

    struct Snippet: Sendable {
        let name: String
        let offset: Int
    }

    /// - Parameter name: what errors call the template.
    package init(
        _ source: String, name: String? = nil, mode: LiquidMode, limits: LiquidLimits = .default
    ) throws(TemplateError) {
        let text = TemplateSource(source, name: name)
        var parser = LiquidParser(text, mode: mode, limits: limits)
        self.nodes = try parser.document()
        self.source = text
        self.mode = mode
        self.limits = limits
        self.warnings = parser.warnings
        self.uses = parser.variables.uses
        self.snippets = parser.snippets
    }

    /// Appends the result to a buffer. After an error the buffer holds what it held before.
    ///
    /// - Parameter data: an object whose members are the template's variables.
    package func render(
        _ data: LiquidValue, partials: any LiquidPartials = NoLiquidPartials(), clock: WallClock = .system,
        errors style: LiquidErrorStyle = .raise, into output: inout [UInt8]
    ) throws(TemplateError) {
        let before: Int = output.count
        var renderer = LiquidRenderer(
            scope: LiquidScope(data: data), source: source, limits: limits, mode: mode, style: style,
            partials: partials, clock: clock)
        swap(&renderer.output, &output)
        renderer.capturedBase = -before
        defer { swap(&renderer.output, &output) }
        do throws(LiquidFailure) {
            _ = try renderer.render(nodes)
        } catch {
            renderer.output.removeLast(max(0, renderer.output.count - before))
            throw error.located ?? TemplateError(error.message, at: 0, in: source)
        }
    }

    /// The result as text.
    package func render(
        _ data: LiquidValue, partials: any LiquidPartials = NoLiquidPartials(), clock: WallClock = .system,
        errors style: LiquidErrorStyle = .raise
    ) throws(TemplateError) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(source.bytes.count + source.bytes.count / 4)
        try render(data, partials: partials, clock: clock, errors: style, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Every variable that the template reads from its data, each place once, in the order of the source:
    /// `contact.firstName`. What the template makes itself (assigned, captured, loop items) is left out.
    package var variablePaths: [(path: String, line: Int, column: Int)] {
        zip(uses, source.positions(of: uses.map(\.offset))).map { use, position in
            (use.path, position.line, position.column)
        }
    }

    /// The snippets that the template names, each place once.
    package var snippetNames: [(name: String, line: Int, column: Int)] {
        zip(snippets, source.positions(of: snippets.map(\.offset))).map { snippet, position in
            (snippet.name, position.line, position.column)
        }
    }
}
