import Core
import Foundation
import Postgres
import Web

/// How slices above name what stands in the log's values: Accounts knows neither lists nor properties.
package struct AuditVocabulary: Sendable {
    /// What a page of the log mentions.
    package struct Mentions: Sendable {
        package var ids: Set<UUID> = []
        /// Whether properties of contacts or companies are among the fields.
        package var properties: Bool = false
    }

    /// Loads what a page needs.
    /// - Parameter zone: the workspace's time zone, in which moments are said.
    package typealias Source =
        @Sendable (_ mentions: Mentions, _ zone: String, _ scope: WorkspaceScope, _ transaction: PostgresTransaction)
        async throws -> AuditVocabulary

    /// Names of lists, companies, people and members.
    package var names: [UUID: String] = [:]
    /// How a field is called; nil: the portal finds words by itself.
    package var label: @Sendable (_ area: AuditArea, _ field: String) -> String? = { _, _ in nil }
    /// How a value of a field is said; nil likewise.
    package var words: @Sendable (_ area: AuditArea, _ field: String, _ value: JSONValue) -> String? = { _, _, _ in nil
    }

    package init() {}
}

/// The log's values as people read them.
struct AuditSpeech: Sendable {
    var vocabulary = AuditVocabulary()
    var zone: String = "UTC"

    /// What the entries of a page mention.
    static func mentions(_ entries: [AuditEntry]) -> AuditVocabulary.Mentions {
        var mentions = AuditVocabulary.Mentions()
        func collect(_ value: JSONValue?) {
            switch value {
            case .string(let text)?: if let id = UUID(canonical: text) { mentions.ids.insert(id) }
            case .array(let values)?: for value in values { collect(value) }
            case .object(let members)?:
                for (name, value) in members {
                    if name.hasPrefix("properties.") || name.hasPrefix("property") { mentions.properties = true }
                    collect(value)
                }
            default: break
            }
        }
        for entry in entries {
            collect(entry.before)
            collect(entry.after)
            collect(entry.details)
        }
        return mentions
    }

    func label(_ field: String, _ area: AuditArea) -> String {
        if let known = vocabulary.label(area, field) { return known }
        return FieldWords.spelled(field.split(separator: ".").last ?? field[...])
    }

    func words(_ value: JSONValue, _ field: String, _ area: AuditArea) -> String {
        if value != .null, let known = vocabulary.words(area, field, value) { return known }
        switch value {
        case .null: return "nothing"
        case .bool(let flag): return flag ? "yes" : "no"
        case .int(let number): return NumberWords.grouped(number)
        case .double(let number): return NumberWords.grouped(decimal: String(number))
        case .string(let text): return said(text)
        case .array(let values):
            return values.isEmpty ? "nothing" : values.map { words($0, field, area) }.joined(separator: ", ")
        case .object(let members):
            return members.keys.sorted().map { name in
                "\(label(name, area).lowercased()): \(words(members[name] ?? .null, name, area))"
            }.joined(separator: ", ")
        }
    }

    private func said(_ text: String) -> String {
        if text.isEmpty { return "nothing" }
        if let id = UUID(canonical: text) { return vocabulary.names[id] ?? "one that is gone" }
        if text == "true" || text == "false" { return text == "true" ? "yes" : "no" }
        if text.utf8.count >= 20, text.dropFirst(10).hasPrefix("T"), let moment = ISO8601.parse(text) {
            return day(moment, zone) + time(moment)
        }
        if text.utf8.count == 10, let midnight = ISO8601.parse(text + "T00:00:00Z") { return day(midnight, "UTC") }
        // Words of ours, like `hard_bounce`.
        let isCode: Bool = text.contains("_") && text.allSatisfy { ($0.isASCII && $0.isLowercase) || $0 == "_" }
        return isCode ? text.replacing("_", with: " ") : text
    }

    private func parts(_ moment: Date, _ zone: String) -> DateComponents {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        return calendar.dateComponents([.year, .month, .day, .hour, .minute], from: moment)
    }

    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `31 Mar 2026`.
    private func day(_ moment: Date, _ zone: String) -> String {
        let found = parts(moment, zone)
        let month: String = Self.months[max(0, min(11, (found.month ?? 1) - 1))]
        return "\(found.day ?? 1) \(month) \(found.year ?? 0)"
    }

    /// `, 09:30`.
    private func time(_ moment: Date) -> String {
        let found = parts(moment, zone)
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return ", \(two(found.hour)):\(two(found.minute))"
    }
}
