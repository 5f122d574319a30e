/// How much one rendering of a customer's template may take. What goes over is an error at the line.
package struct LiquidLimits: Sendable {
    /// Bytes of the result, and of any text made on the way.
    package var outputBytes: Int
    /// Rounds of all loops together.
    package var loopRounds: Int
    /// Nodes rendered, and one for every 64 bytes or 8 items that a filter looks at: what stands for time.
    package var steps: Int
    /// Tags inside each other.
    package var nesting: Int
    /// Snippets inside each other.
    package var partialDepth: Int
    /// Bytes of the template's source.
    package var sourceBytes: Int

    package init(
        outputBytes: Int = 4_000_000, loopRounds: Int = 100_000, steps: Int = 2_000_000, nesting: Int = 100,
        partialDepth: Int = 20, sourceBytes: Int = 2_000_000
    ) {
        self.outputBytes = outputBytes
        self.loopRounds = loopRounds
        self.steps = steps
        self.nesting = nesting
        self.partialDepth = partialDepth
        self.sourceBytes = sourceBytes
    }

    package static let `default` = LiquidLimits()
}

/// What the author wrote the template for.
package enum LiquidMode: Sendable {
    /// Subjects and SMS: output stands as it is.
    case text
    /// Outputs are escaped for HTML.
    case html
}

/// What becomes of an error that only shows while rendering, such as a division by zero.
package enum LiquidErrorStyle: Sendable {
    /// The rendering fails.
    case raise
    /// A sentence stands in the place of the tag, as the reference implementation does. For previews.
    case inline
}

/// The snippets that a template may bring in with `render` and `include`.
package protocol LiquidPartials: Sendable {
    /// - Throws: what is wrong with the snippet, when it could not be compiled.
    func template(named name: String) throws(TemplateError) -> LiquidTemplate?
}

/// No snippets.
package struct NoLiquidPartials: LiquidPartials {
    package init() {}

    package func template(named name: String) -> LiquidTemplate? { nil }
}

extension [String: LiquidTemplate]: LiquidPartials {
    package func template(named name: String) -> LiquidTemplate? { self[name] }
}

/// Snippets by name, compiled together. One with a mistake only matters to the templates that use it.
package struct LiquidSnippets: LiquidPartials {
    private let compiled: [String: Result<LiquidTemplate, TemplateError>]

    package init(_ sources: [String: String], mode: LiquidMode, limits: LiquidLimits = .default) {
        var compiled: [String: Result<LiquidTemplate, TemplateError>] = [:]
        for (name, source) in sources {
            do throws(TemplateError) {
                compiled[name] = .success(try LiquidTemplate(source, name: name, mode: mode, limits: limits))
            } catch {
                compiled[name] = .failure(error)
            }
        }
        self.compiled = compiled
    }

    package func template(named name: String) throws(TemplateError) -> LiquidTemplate? {
        try compiled[name]?.get()
    }
}
