/// Where in the markup a view stands: an HTML tokenizer's state, fed with the literal text between outputs.
///
/// The state is a value, so that the branches of a view can be followed apart and compared where they meet.
struct ViewMarkup: Sendable {
    enum Place: Sendable, Equatable {
        case text, tagStart, tagName, endTagName, tag, selfClosing, attributeName, afterName, beforeValue
        /// Branches in a tag came together where a space has to follow.
        case joined
        case value(quote: UInt8)
        case declaration, comment
        /// Inside `script` or `style`, or inside `title` or `textarea`.
        case rawText(String), characters(String)
    }

    /// How far the value of a URL attribute has come.
    enum URLPlace: Sendable, Equatable {
        /// Nothing is written yet.
        case start
        /// The literal beginning, before anything that rules out a scheme.
        case scheme(String)
        /// An output stands at the beginning: its scheme is checked when it is written.
        case afterOutput
        case rest
        /// Branches came to different places.
        case unclear
    }

    struct Attribute: Sendable, Equatable {
        var name: String
        /// Outputs stand in it as they are written in the view.
        var value = ""
        var hasOutput = false
        let offset: Int
    }

    struct Element: Sendable {
        let name: String
        let offset: Int
        var needsToken = false
    }

    var place: Place = .text
    var open: [Element] = []
    var name = ""
    var nameOffset = 0
    var attributes: [Attribute] = []
    var url: URLPlace = .start
    /// Letters that may become the end of a comment or of raw text.
    var recent = ""
    /// Ids seen on the way here, with their places.
    var ids: [String: Int] = [:]
    var isJSON = false

    static let void: Set<String> = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ]

    static let urlAttributes: Set<String> = [
        "href", "src", "action", "formaction", "poster", "cite", "data", "xlink:href", "manifest", "background",
        "longdesc",
    ]

    /// Whether the browser loads or follows what stands in an attribute.
    static func isURL(_ attribute: String) -> Bool {
        if urlAttributes.contains(attribute) { return true }
        guard attribute.hasPrefix("data-") else { return false }
        return ["url", "href", "src", "uri"].contains { attribute.hasSuffix($0) }
    }

    /// Whether white space is shown as it is written.
    var isPreformatted: Bool { open.contains { $0.name == "pre" } }

    /// Whether two branches may meet here.
    func meets(_ other: ViewMarkup) -> Bool {
        let names: [String] = open.map(\.name)
        guard names == other.open.map(\.name) else { return false }
        if Self.isBetweenAttributes(place), Self.isBetweenAttributes(other.place) { return name == other.name }
        if case .value = place {
            return place == other.place && name == other.name && attributes.last?.name == other.attributes.last?.name
        }
        return place == other.place
    }

    private static func isBetweenAttributes(_ place: Place) -> Bool {
        [.tagName, .tag, .afterName, .attributeName, .joined].contains(place)
    }

    /// Takes over what another branch has seen.
    mutating func merge(_ other: ViewMarkup) {
        if case .value = place {
            if url != other.url { url = .unclear }
            if let last = other.attributes.last, !attributes.isEmpty, attributes[attributes.count - 1] != last {
                attributes[attributes.count - 1].value += last.value
                attributes[attributes.count - 1].hasOutput = true
            }
        } else if place != other.place {
            let spaced: [Place] = [.tag, .afterName]
            place = spaced.contains(place) && spaced.contains(other.place) ? .tag : .joined
        }
        for attribute in other.attributes where !attributes.contains(where: { $0.name == attribute.name }) {
            attributes.append(attribute)
        }
        for index in open.indices where other.open[index].needsToken { open[index].needsToken = true }
        ids.merge(other.ids) { first, _ in first }
    }

    /// The place in words, for messages.
    var phrase: String {
        switch place {
        case .text: open.last.map { "inside <\($0.name)>" } ?? "in text"
        case .tagStart, .tagName, .endTagName, .tag, .selfClosing, .attributeName, .afterName, .beforeValue, .joined:
            "inside the tag <\(name)>"
        case .value: "inside the attribute \(attributes.last?.name ?? "")"
        case .declaration: "inside a declaration"
        case .comment: "inside a comment"
        case .rawText(let element), .characters(let element): "inside <\(element)>"
        }
    }
}

/// Where an output stands, and what may be written there.
enum ViewHole: Sendable, Equatable {
    case text
    /// Text without elements: `title` and `textarea`.
    case characters(String)
    case attribute
    /// The beginning of a URL; `strict` asks for a value of kind url.
    case urlStart(strict: Bool)
    case urlPart
    case jsonScript
    case forbidden(String)
}

extension ViewMarkup {
    /// Says what an output may do here, and remembers that it was here.
    mutating func output(_ written: String) -> ViewHole {
        switch place {
        case .text: return .text
        case .characters(let element): return .characters(element)
        case .value: return valueOutput(written)
        case .rawText("script") where isJSON: return .jsonScript
        case .rawText(let element): return .forbidden("no output may stand in <\(element)>")
        case .comment: return .forbidden("no output may stand in an HTML comment")
        case .declaration: return .forbidden("no output may stand in a declaration")
        case .tagStart, .tagName, .endTagName:
            if place == .tagStart { place = .text }
            return .forbidden("the name of a tag cannot be an output")
        case .beforeValue:
            place = .tag
            return .forbidden("put the value of this attribute in quotes")
        case .tag, .selfClosing, .attributeName, .afterName, .joined:
            return .forbidden(
                "the name of an attribute cannot be an output; use {% attr %} for one that comes and goes")
        }
    }

    private mutating func valueOutput(_ written: String) -> ViewHole {
        guard !attributes.isEmpty else { return .forbidden("no output may stand here") }
        let last: Int = attributes.count - 1
        let attribute: String = attributes[last].name
        attributes[last].value += "{{ \(written) }}"
        attributes[last].hasOutput = true
        switch attribute {
        case "style", "srcdoc", "srcset", "imagesrcset", "ping":
            return .forbidden("no output may stand in the attribute \(attribute)")
        case _ where attribute.hasPrefix("on"):
            return .forbidden("no output may stand in the attribute \(attribute)")
        default: break
        }
        if ["animate", "set", "animatetransform", "base"].contains(name) {
            return .forbidden("no output may stand in <\(name)>")
        }
        guard Self.isURL(attribute) else { return .attribute }
        if name == "script" { return .forbidden("the address of a script is an {% asset %}, not an output") }
        switch url {
        case .start:
            url = .afterOutput
            let strict: Bool = ["link", "iframe", "object", "embed"].contains(name)
            return .urlStart(strict: strict)
        case .scheme:
            url = .rest
            return .urlPart
        case .afterOutput, .rest: return .urlPart
        case .unclear: return .forbidden("this output begins a URL or continues one, depending on a branch")
        }
    }
}
