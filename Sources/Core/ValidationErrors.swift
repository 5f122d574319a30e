/// What is wrong with an input, field by field, in words for the person who typed it.
///
/// The HTML face shows it beside the fields with status 422; the JSON face answers problem+json (RFC 9457).
package struct ValidationErrors: Error, Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// The input's name, or a JSON pointer without its leading slash (`contacts/3/email`).
        package let field: String
        package let message: String
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package init(_ field: String, _ message: String) {
        add(field, message)
    }

    package var isEmpty: Bool { entries.isEmpty }

    package mutating func add(_ field: String, _ message: String) {
        entries.append(Entry(field: field, message: message))
    }

    /// The first message for a field, for showing beside it.
    package subscript(field: String) -> String? {
        entries.first { $0.field == field }?.message
    }

    /// Throws itself unless nothing is wrong.
    package func throwIfAny() throws(ValidationErrors) {
        if !isEmpty { throw self }
    }
}
