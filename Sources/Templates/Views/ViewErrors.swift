/// Everything that is wrong with the views, in the order of files and lines.
package struct ViewErrors: Error, Sendable, CustomStringConvertible {
    package let errors: [TemplateError]

    init(_ errors: [TemplateError]) {
        self.errors = errors.sorted { left, right in
            (left.name ?? "", left.line, left.column) < (right.name ?? "", right.line, right.column)
        }
    }

    /// A mistake that has no place in a file.
    init(general message: String) {
        self.init([TemplateError(name: nil, line: 1, column: 1, message: message, sourceLine: "")])
    }

    /// Each mistake with its place, its line and a caret.
    package var description: String {
        let all: String = errors.map(\.rendered).joined(separator: "\n\n")
        return "\(all)\n\n\(errors.count) \(errors.count == 1 ? "mistake" : "mistakes") in the views"
    }
}

extension ViewErrors {
    /// The mistakes as a page of its own, for development. It needs nothing that may be broken.
    package var page: [UInt8] {
        var bytes: [UInt8] = Array(
            """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Mistakes in the views</title></head>
            <body><h1>Mistakes in the views</h1><pre>
            """.utf8)
        ViewEscaping.appendHTML("\n" + description, to: &bytes)
        bytes += Array("</pre></body></html>\n".utf8)
        return bytes
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
