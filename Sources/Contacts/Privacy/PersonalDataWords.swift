import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Rows of the database as the person they are about can read them: labels instead of names of columns, days and times of
/// the workspace's zone, names instead of ids. Ids without a name and what only machines need are left out.
struct PersonalDataWords: Sendable {
    var zone: String = "UTC"
    /// What ids stand for.
    var names: [UUID: String] = [:]
    /// The workspace's properties, by name.
    var definitions: [String: PropertyDefinition] = [:]

    static func load(
        for sections: [PersonalData.Section], _ person: JSONValue, zone: String, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws -> PersonalDataWords {
        var ids: Set<UUID> = []
        collect(person, &ids)
        for section in sections { for row in section.rows { collect(row, &ids) } }
        var words = PersonalDataWords(zone: zone)
        words.names = try await AuditWords.names(Array(ids), scope, in: transaction)
        let found: [PropertyDefinition] = try await transaction.pipeline(PropertyQueries(scope: scope).all(.contact))
        for definition in found { words.definitions[definition.name] = definition }
        return words
    }

    private static func collect(_ value: JSONValue, _ ids: inout Set<UUID>) {
        switch value {
        case .string(let text): if let id = UUID(canonical: text) { ids.insert(id) }
        case .array(let values): for one in values { collect(one, &ids) }
        case .object(let members): for one in members.values { collect(one, &ids) }
        default: break
        }
    }

    /// What only machines need.
    private static let hidden: Set<String> = [
        "id", "contact_id", "email_key", "search", "version", "position", "occurrence", "address_hash", "content",
        "created_by_job", "list_order", "revision", "routing_key", "before_id", "author_id", "href",
    ]

    private static let labels: [String: String] = [
        "email": "E-mail address", "phone": "Phone number", "first_name": "First name", "last_name": "Last name",
        "email_opt_in": "Agreed to e-mail", "sms_opt_in": "Agreed to SMS",
        "tracking_allowed": "Opens and clicks counted",
        "email_status": "E-mail status", "created_at": "Added", "updated_at": "Last changed", "occurred_at": "When",
        "consent_basis": "Why we may write", "company_id": "Company", "body": "Text", "due_on": "Due",
        "assignee_id": "Assigned to", "author_name": "Written by", "actor_id": "By", "actorId": "By",
        "kind": "What", "url": "Link", "user_agent": "Program", "class": "Kind of reader", "class_reason": "Told by",
        "addedAt": "On it since", "value": "Value", "done_at": "Done", "deleted_at": "Deleted",
        "provider_response": "What the mail server said",
    ]

    /// The lines of a record, in the order of their labels; nothing for what is empty.
    func lines(_ row: JSONValue) -> [PersonalDataLine] {
        guard case .object(let members) = row else {
            return [PersonalDataLine(label: "Value", value: said(row, "") ?? "")]
        }
        var lines: [PersonalDataLine] = []
        for (name, value) in members where !Self.hidden.contains(name) && !name.hasSuffix("_hash") {
            if name == "properties", case .object(let properties) = value {
                lines += properties.compactMap { property($0.key, $0.value) }
            } else if case .object(let inner) = value {
                lines += inner.compactMap { line($0.key, $0.value) }
            } else if let line = line(name, value) {
                lines.append(line)
            }
        }
        return lines.sorted { ($0.label, $0.value) < ($1.label, $1.value) }
    }

    private func property(_ name: String, _ value: JSONValue) -> PersonalDataLine? {
        guard value != .null else { return nil }
        let definition: PropertyDefinition? = definitions[name]
        let text: String? = definition.map { PropertyFormat.shown(value, $0, zone: zone) } ?? said(value, name)
        return text.map { PersonalDataLine(label: definition?.label ?? name, value: $0) }
    }

    private func line(_ name: String, _ value: JSONValue) -> PersonalDataLine? {
        if Self.hidden.contains(name) { return nil }
        if name.hasPrefix("properties.") {
            let field = String(name.dropFirst(11))
            if case .array(let pair) = value, pair.count == 2 { return change(field, pair, definitions[field]) }
            return property(field, value)
        }
        // A change in the history: the value before and after.
        if case .array(let pair) = value, pair.count == 2, name != "tags" { return change(name, pair, nil) }
        return said(value, name).map { PersonalDataLine(label: label(name), value: $0) }
    }

    private func change(_ name: String, _ pair: [JSONValue], _ definition: PropertyDefinition?) -> PersonalDataLine {
        let texts: [String] = pair.map { value in
            definition.map { PropertyFormat.shown(value, $0, zone: zone) } ?? said(value, name) ?? "nothing"
        }
        return PersonalDataLine(label: definition?.label ?? label(name), value: texts.joined(separator: " → "))
    }

    private func label(_ name: String) -> String {
        if let known = Self.labels[name] ?? ContactFormPage.Conflict.labels[name] { return known }
        return FieldWords.spelled(name.hasSuffix("_id") ? name.dropLast(3) : name[...])
    }

    /// Nil for what is not worth a line: nothing at all, bytes, ids that stand for nothing a person knows.
    private func said(_ value: JSONValue, _ name: String) -> String? {
        switch value {
        case .null: return nil
        case .bool(let flag): return flag ? "Yes" : "No"
        case .int(let number): return NumberWords.grouped(number)
        case .double(let number): return NumberWords.grouped(decimal: String(number))
        case .string(let text): return said(text, name)
        case .array(let values):
            let texts: [String] = values.compactMap { said($0, name) }
            return texts.isEmpty ? nil : texts.joined(separator: ", ")
        case .object(let members):
            let texts: [String] = members.keys.sorted().compactMap { field in
                said(members[field] ?? .null, field).map { "\(label(field)): \($0)" }
            }
            return texts.isEmpty ? nil : texts.joined(separator: ", ")
        }
    }

    private func said(_ text: String, _ name: String) -> String? {
        if text.isEmpty || text.hasPrefix("\\x") { return nil }
        if let id = UUID(canonical: text) { return names[id] }
        if name == "email_status" || name == "emailStatus" { return EmailStatus(rawValue: text)?.words ?? text }
        if name == "source" { return SourceWords.of(text) }
        if text.utf8.count >= 20, let moment = ISO8601.parse(text) { return LocalMoment.words(moment, zone: zone) }
        if text.utf8.count == 10, ISO8601.parse(text + "T00:00:00Z") != nil { return LocalMoment.dayWords(text) }
        if text == "true" || text == "false" { return text == "true" ? "Yes" : "No" }
        let isCode: Bool =
            (text.contains("_") || text.contains(".") || ["kind", "state", "status", "action"].contains(name))
            && text.allSatisfy { ($0.isASCII && $0.isLowercase) || $0 == "_" || $0 == "." }
        guard isCode else { return text }
        let words: String = text.replacing("_", with: " ").replacing(".", with: ": ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
