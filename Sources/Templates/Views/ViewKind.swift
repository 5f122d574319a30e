/// What a value is, as far as views are concerned.
enum ViewKind: Sendable, Equatable {
    case text, link, number, decimal, flag, date, html, texts
    case record(ViewRecordType)
    case list(ViewRecordType)

    /// The kind as a view writes it in `{% param %}`.
    var name: String {
        switch self {
        case .text: "text"
        case .link: "url"
        case .number: "number"
        case .decimal: "decimal"
        case .flag: "flag"
        case .date: "date"
        case .html: "html"
        case .texts: "texts"
        case .record(let record): record.name
        case .list(let record): "list(\(record.name))"
        }
    }

    /// The kind with its article, for messages: "a text", "a list of ContactRow".
    var phrase: String {
        switch self {
        case .text, .link, .number, .decimal, .flag, .date, .record: "a \(name)"
        case .html: "HTML"
        case .texts: "a list of texts"
        case .list(let record): "a list of \(record.name)"
        }
    }

    static let scalars: [String: ViewKind] = [
        "text": .text, "url": .link, "link": .link, "number": .number, "decimal": .decimal, "flag": .flag,
        "date": .date, "html": .html, "texts": .texts,
    ]
}

/// A kind, and whether the value may be absent.
struct ViewType: Sendable, Equatable {
    let kind: ViewKind
    let isOptional: Bool

    init(_ kind: ViewKind, optional: Bool = false) {
        self.kind = kind
        isOptional = optional
    }

    var name: String { isOptional ? "\(kind.name)?" : kind.name }
    var phrase: String { isOptional ? "an optional \(kind.name)" : kind.phrase }
    var present: ViewType { ViewType(kind) }

    /// Whether a value of this type may be given where `other` is expected.
    func fits(_ other: ViewType) -> Bool {
        if isOptional && !other.isOptional { return false }
        switch (kind, other.kind) {
        case (.link, .text), (.number, .decimal): return true
        default: return kind == other.kind
        }
    }
}

/// A record type by its metatype, read lazily so that records may contain themselves.
struct ViewRecordType: Sendable, Equatable {
    let type: any ViewRecord.Type

    init(_ type: any ViewRecord.Type) {
        self.type = type
    }

    var name: String { type.viewType }
    var shape: ViewShape { type.shape }

    static func == (left: ViewRecordType, right: ViewRecordType) -> Bool {
        ObjectIdentifier(left.type) == ObjectIdentifier(right.type)
    }
}

/// One declared field.
struct ViewField: Sendable {
    let name: String
    let type: ViewType
}

/// The fields of a record type without the way to read them.
struct ViewShape: Sendable {
    let name: String
    let fields: [ViewField]

    func slot(of name: String) -> Int? {
        fields.firstIndex { $0.name == name }
    }
}
