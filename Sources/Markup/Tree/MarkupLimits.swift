/// What one parse may cost. Input beyond it is refused, not cut, so nobody sends half an e-mail.
package struct MarkupLimits: Sendable, Equatable {
    /// Bytes of UTF-8 source.
    package let bytes: Int
    /// Elements inside each other.
    package let depth: Int
    /// Elements, texts and comments together.
    package let nodes: Int
    /// Attributes of one tag.
    package let attributes: Int

    package init(bytes: Int = 2 << 20, depth: Int = 256, nodes: Int = 200_000, attributes: Int = 200) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
        self.attributes = attributes
    }

    package static let standard = MarkupLimits()
}

/// Why a text could not be read as HTML. Broken HTML is no error: it is repaired as browsers do.
package enum MarkupError: Error, Sendable, Equatable {
    case tooLarge(limit: Int)
    case tooDeep(limit: Int)
    case tooManyNodes(limit: Int)
    case tooManyAttributes(limit: Int)
    /// The cleaned text changes each time it is read again: somebody built it to confuse parsers.
    case unstable
    /// libxml2 could not make a parser.
    case outOfMemory
}

extension MarkupError: CustomStringConvertible {
    /// In words for the author of the HTML.
    package var description: String {
        switch self {
        case .tooLarge(let limit): "The HTML is larger than \(limit / 1024) KB."
        case .tooDeep(let limit): "Elements are nested more than \(limit) deep."
        case .tooManyNodes(let limit): "The HTML has more than \(limit) elements."
        case .tooManyAttributes(let limit): "A tag has more than \(limit) attributes."
        case .unstable: "The HTML is too broken to repair safely."
        case .outOfMemory: "There was not enough memory to read the HTML."
        }
    }
}
