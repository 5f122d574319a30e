import FoundationEssentials

/// A value that views may read, through the fields it declares and nothing else.
///
/// Every record names its fields once; views are checked against that table when the server starts.
package protocol ViewRecord: Sendable {
    /// The name views call this type by, in `{% page … %}` and `{% param … %}`.
    static var viewType: String { get }
    /// The fields a view may read. Declare it as a `static let`, so that it is built once.
    static var fields: Fields<Self> { get }
}

extension ViewRecord {
    package static var viewType: String { "\(Self.self)" }

    static var shape: ViewShape { fields.shape }
}

/// A record that is a whole page: one view file belongs to it.
package protocol ViewPage: ViewRecord {
    /// The view's name: its path under `Views` without the extension, such as `contacts/index`.
    static var view: String { get }
    /// Examples that together walk through every branch; tests and `portal views` render them all.
    static var previews: [Self] { get }
}

/// HTML that is known to be safe to send as it is. Only the sanitizer and the engine make it.
package struct SafeHTML: Sendable, Equatable {
    package let bytes: [UInt8]

    /// Wraps HTML that has passed the sanitizer. Nothing is checked here: never pass text from a person.
    package init(sanitized html: String) {
        bytes = Array(html.utf8)
    }

    /// Wraps the bytes of a finished rendering.
    package init(rendered bytes: [UInt8]) {
        self.bytes = bytes
    }

    package var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// The fields of one record type: name, kind and how to read each.
package struct Fields<Root: Sendable>: Sendable {
    let shape: ViewShape
    let readers: [@Sendable (ViewObject) -> ViewValue]

    package init(_ build: (inout FieldsBuilder<Root>) -> Void) {
        var builder = FieldsBuilder<Root>()
        build(&builder)
        shape = ViewShape(name: "\(Root.self)", fields: builder.fields)
        readers = builder.readers
    }
}

/// Collects the fields of a record type, in the order of declaration.
package struct FieldsBuilder<Root: Sendable> {
    fileprivate(set) var fields: [ViewField] = []
    fileprivate(set) var readers: [@Sendable (ViewObject) -> ViewValue] = []

    private mutating func add(
        _ name: String, _ kind: ViewKind, optional: Bool = false, _ read: @escaping @Sendable (Root) -> ViewValue
    ) {
        fields.append(ViewField(name: name, type: ViewType(kind, optional: optional)))
        readers.append(ViewBox<Root>.reader(read))
    }

    package mutating func text(_ name: String, _ read: @escaping @Sendable (Root) -> String) {
        add(name, .text) { .text(read($0)) }
    }

    package mutating func optionalText(_ name: String, _ read: @escaping @Sendable (Root) -> String?) {
        add(name, .text, optional: true) { read($0).map(ViewValue.text) ?? .absent }
    }

    package mutating func number(_ name: String, _ read: @escaping @Sendable (Root) -> Int) {
        add(name, .number) { .number(read($0)) }
    }

    package mutating func optionalNumber(_ name: String, _ read: @escaping @Sendable (Root) -> Int?) {
        add(name, .number, optional: true) { read($0).map(ViewValue.number) ?? .absent }
    }

    package mutating func decimal(_ name: String, _ read: @escaping @Sendable (Root) -> Double) {
        add(name, .decimal) { .decimal(read($0)) }
    }

    package mutating func optionalDecimal(_ name: String, _ read: @escaping @Sendable (Root) -> Double?) {
        add(name, .decimal, optional: true) { read($0).map(ViewValue.decimal) ?? .absent }
    }

    package mutating func flag(_ name: String, _ read: @escaping @Sendable (Root) -> Bool) {
        add(name, .flag) { .flag(read($0)) }
    }

    /// A URL. In a link its scheme is checked: http, https, mailto, tel or none.
    package mutating func link(_ name: String, _ read: @escaping @Sendable (Root) -> String) {
        add(name, .link) { .text(read($0)) }
    }

    package mutating func optionalLink(_ name: String, _ read: @escaping @Sendable (Root) -> String?) {
        add(name, .link, optional: true) { read($0).map(ViewValue.text) ?? .absent }
    }

    package mutating func date(_ name: String, _ read: @escaping @Sendable (Root) -> Date) {
        add(name, .date) { .date(read($0)) }
    }

    package mutating func optionalDate(_ name: String, _ read: @escaping @Sendable (Root) -> Date?) {
        add(name, .date, optional: true) { read($0).map(ViewValue.date) ?? .absent }
    }

    package mutating func html(_ name: String, _ read: @escaping @Sendable (Root) -> SafeHTML) {
        add(name, .html) { .html(read($0).bytes) }
    }

    package mutating func optionalHTML(_ name: String, _ read: @escaping @Sendable (Root) -> SafeHTML?) {
        add(name, .html, optional: true) { root in read(root).map { .html($0.bytes) } ?? .absent }
    }

    package mutating func texts(_ name: String, _ read: @escaping @Sendable (Root) -> [String]) {
        add(name, .texts) { .texts(read($0)) }
    }

    package mutating func record<Child: ViewRecord>(
        _ name: String, of _: Child.Type, _ read: @escaping @Sendable (Root) -> Child
    ) {
        add(name, .record(ViewRecordType(Child.self))) { .record(ViewBox(read($0), Child.fields)) }
    }

    package mutating func optionalRecord<Child: ViewRecord>(
        _ name: String, of _: Child.Type, _ read: @escaping @Sendable (Root) -> Child?
    ) {
        add(name, .record(ViewRecordType(Child.self)), optional: true) { root in
            read(root).map { .record(ViewBox($0, Child.fields)) } ?? .absent
        }
    }

    package mutating func list<Child: ViewRecord>(
        _ name: String, of _: Child.Type, _ read: @escaping @Sendable (Root) -> [Child]
    ) {
        add(name, .list(ViewRecordType(Child.self))) { .list(ViewBox.boxes(read($0), Child.fields)) }
    }
}
