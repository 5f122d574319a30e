/// Everything that is wrong with the views, in the order of files and lines.
package struct ViewErrors: Error, Sendable, CustomStringConvertible {
    package let errors: [TemplateError]

    init(_ errors: [TemplateError]) {
        self.errors = errors.sorted { left, right in
            (left.name ?? "", left.line, left.column) < (right.name ?? "", right.line, right.column)
        }
    }

    /// Each mistake with its place, its line and a caret.
    package var description: String {
        let all: String = errors.map(\.rendered).joined(separator: "\n\n")
        return "\(all)\n\n\(errors.count) \(errors.count == 1 ? "mistake" : "mistakes") in the views"
    }
}

/// Why a page could not be rendered. All of these are mistakes in the program, not in data.
package enum ViewRenderError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownPage(String)
    case unknownFragment(String, view: String)
    case wrongChrome(String)

    package var description: String {
        switch self {
        case .unknownPage(let view): "the page of the view '\(view)' was not loaded"
        case .unknownFragment(let name, let view): "the view '\(view)' has no fragment '\(name)'"
        case .wrongChrome(let type): "the views were loaded for another chrome than \(type)"
        }
    }
}
