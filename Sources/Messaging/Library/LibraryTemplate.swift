import Core
import FoundationEssentials
import Postgres

package enum LibraryTemplateTag {}
package typealias LibraryTemplateID = Identifier<LibraryTemplateTag>

/// What a template is for.
package enum TemplateKind: String, Sendable, CaseIterable, Codable {
    case email, sms

    package var label: String { self == .email ? "E-mail" : "Text message" }
}

/// What one version of a template says.
package struct TemplateContent: Sendable, Equatable {
    package var name: String
    package var description: String
    package var subject: String
    package var previewText: String
    /// `rich`, `html`, `markdown`; `text` for text messages.
    package var bodyMode: String
    package var body: String

    package init(
        name: String = "", description: String = "", subject: String = "", previewText: String = "",
        bodyMode: String = "rich", body: String = ""
    ) {
        self.name = name
        self.description = description
        self.subject = subject
        self.previewText = previewText
        self.bodyMode = bodyMode
        self.body = body
    }

    /// - Throws: `ValidationErrors` for the fields `name`, `description`, `subject`, `previewText`, `bodyMode`, `body`.
    func check(_ kind: TemplateKind) throws(ValidationErrors) {
        var errors = ValidationErrors()
        func isOneLine(_ text: String) -> Bool {
            !text.unicodeScalars.contains { $0 == "\r" || $0 == "\n" || $0 == "\0" }
        }
        if name.isEmpty { errors.add("name", "Give the template a name.") }
        if name.count > 200 || !isOneLine(name) { errors.add("name", "Use one line of at most 200 characters.") }
        if description.count > 1_000 || description.utf8.contains(0) {
            errors.add("description", "Use at most 1,000 characters.")
        }
        if subject.count > 938 || !isOneLine(subject) {
            errors.add("subject", "Use one line of at most 938 characters.")
        }
        if previewText.count > 400 || previewText.utf8.contains(0) {
            errors.add("previewText", "Use at most 400 characters.")
        }
        let modes: [String] = kind == .sms ? ["text"] : ["rich", "html", "markdown"]
        if !modes.contains(bodyMode) { errors.add("bodyMode", "Choose one of \(modes.joined(separator: ", ")).") }
        if body.utf8.count > 1_000_000 { errors.add("body", "The text is larger than 1 MB.") }
        if kind == .sms, body.count > 1_600 { errors.add("body", "A text message has at most 1,600 characters.") }
        if body.utf8.contains(0) { errors.add("body", "The text has a NUL in it.") }
        try errors.throwIfAny()
    }
}

/// A reusable e-mail or text message with what its newest version says.
package struct LibraryTemplate: Sendable, PostgresRow {
    package let id: LibraryTemplateID
    package let kind: TemplateKind
    /// The number of the newest version.
    package let version: Int
    package let content: TemplateContent
    package let createdAt: Date
    package let updatedAt: Date

    package static let columns: SQL = """
        t.id, t.kind, t.version, t.name, t.description, v.subject, v.preview_text, v.body_mode, v.body, t.created_at,
        t.updated_at
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        kind = TemplateKind(rawValue: try row.next()) ?? .email
        version = try row.next()
        content = TemplateContent(
            name: try row.next(), description: try row.next(), subject: try row.next(), previewText: try row.next(),
            bodyMode: try row.next(), body: try row.next())
        createdAt = try row.next()
        updatedAt = try row.next()
    }

    init(id: LibraryTemplateID, kind: TemplateKind, version: Int, content: TemplateContent, at date: Date) {
        self.id = id
        self.kind = kind
        self.version = version
        self.content = content
        createdAt = date
        updatedAt = date
    }
}

/// One saved state of a template, for the list of versions.
package struct TemplateVersion: Sendable, PostgresRow {
    package let number: Int
    package let note: String
    package let author: String?
    package let createdAt: Date

    package static let columns: SQL = """
        v.number, v.note, (SELECT name FROM marketing_users u WHERE u.id = v.created_by), v.created_at
        """

    package init(row: inout RowReader) throws {
        number = try row.next()
        note = try row.next()
        author = try row.next()
        createdAt = try row.next()
    }

    init(number: Int, note: String, author: String?, createdAt: Date) {
        self.number = number
        self.note = note
        self.author = author
        self.createdAt = createdAt
    }
}

/// The lines of two texts side by side in one list: what stayed, what went, what came.
package struct LineDifference: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case same, removed, added }

    package struct Line: Sendable, Equatable {
        package let kind: Kind
        package let text: String
    }

    package let lines: [Line]

    /// Beyond so many lines the middle of two texts is shown whole, once removed and once added.
    static let limit: Int = 1_500

    package init(_ before: String, _ after: String) {
        let old: [Substring] = before.split(separator: "\n", omittingEmptySubsequences: false)
        let new: [Substring] = after.split(separator: "\n", omittingEmptySubsequences: false)
        guard old.count <= Self.limit, new.count <= Self.limit else {
            lines =
                before == after
                ? old.map { Line(kind: .same, text: String($0)) }
                : old.map { Line(kind: .removed, text: String($0)) } + new.map { Line(kind: .added, text: String($0)) }
            return
        }
        let change = new.difference(from: old)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for step in change {
            switch step {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var result: [Line] = []
        var left: Int = 0
        var right: Int = 0
        while left < old.count || right < new.count {
            if left < old.count, removed.contains(left) {
                result.append(Line(kind: .removed, text: String(old[left])))
                left += 1
            } else if right < new.count, added.contains(right) {
                result.append(Line(kind: .added, text: String(new[right])))
                right += 1
            } else {
                if left < old.count { result.append(Line(kind: .same, text: String(old[left]))) }
                left += 1
                right += 1
            }
        }
        lines = result
    }
}
