import Core
import FoundationEssentials
import Postgres

/// The fields of a person that a merge decides about.
struct MergeFields: Sendable, Equatable, Codable, PostgresRow {
    var email: String?
    var emailKey: String?
    var phone: String?
    var firstName: String?
    var lastName: String?
    var company: UUID?
    var emailStatus: EmailStatus = .active
    var trackingAllowed: Bool = true
    var consentBasis: String?
    var emailOptIn: Bool?
    var smsOptIn: Bool?
    var tags: [String] = []
    var properties: [String: JSONValue] = [:]

    static let columns: SQL = """
        c.email, c.email_key, c.phone, c.first_name, c.last_name, c.company_id, c.email_status, c.tracking_allowed,
        c.consent_basis, c.email_opt_in, c.sms_opt_in, c.tags, c.properties
        """

    init() {}

    init(row: inout RowReader) throws {
        email = try row.next()
        emailKey = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        company = try row.next()
        emailStatus = try row.next()
        trackingAllowed = try row.next()
        consentBasis = try row.next()
        emailOptIn = try row.next()
        smsOptIn = try row.next()
        tags = try row.next()
        if case .object(let members) = try row.next(JSONValue.self) { properties = members }
    }

    var name: String? {
        let words: [String] = [firstName, lastName].compactMap { $0 }.filter { !$0.isEmpty }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    /// What the person is called: name, else address, else number.
    var title: String { name ?? email ?? phone ?? "Nameless contact" }

    /// Name and address, where both are known.
    var titleAndAddress: String {
        guard let name, let address = email ?? phone else { return title }
        return "\(name), \(address)"
    }
}

/// Whose value each field of the one person takes.
package struct MergeChoices: Sendable, Equatable {
    /// Fields that somebody chooses about: properties as `properties.<name>`.
    static let fields: [String] = ["email", "phone", "firstName", "lastName", "company"]

    /// Those that take the loser's value although the winner has one.
    package var fromLoser: Set<String>

    package init(fromLoser: Set<String> = []) {
        self.fromLoser = fromLoser
    }
}

/// What the one person looks like. Pure: the rules of merging, without the database.
struct MergePlan: Sendable {
    let winner: MergeFields
    let loser: MergeFields
    let choices: MergeChoices

    /// The winner's value, the loser's where the winner has none or where it was chosen.
    private func pick<Value>(_ field: String, _ own: Value?, _ other: Value?) -> Value? {
        choices.fromLoser.contains(field) ? other ?? own : own ?? other
    }

    var result: MergeFields {
        var merged: MergeFields = winner
        let takesOther: Bool = pick("email", winner.emailKey, loser.emailKey) != winner.emailKey
        merged.email = takesOther ? loser.email : winner.email
        merged.emailKey = takesOther ? loser.emailKey : winner.emailKey
        merged.phone = pick("phone", winner.phone, loser.phone)
        merged.firstName = pick("firstName", winner.firstName, loser.firstName)
        merged.lastName = pick("lastName", winner.lastName, loser.lastName)
        merged.company = pick("company", winner.company, loser.company)
        merged.consentBasis = winner.consentBasis ?? loser.consentBasis
        merged.emailStatus = status(takesOther: takesOther)
        merged.trackingAllowed = winner.trackingAllowed && loser.trackingAllowed
        merged.emailOptIn = Self.stricter(winner.emailOptIn, loser.emailOptIn)
        merged.smsOptIn = Self.stricter(winner.smsOptIn, loser.smsOptIn)
        merged.tags = winner.tags + loser.tags.filter { !winner.tags.contains($0) }
        for (name, value) in loser.properties {
            let isChosen: Bool = choices.fromLoser.contains("properties.\(name)")
            if isChosen || merged.properties[name] == nil { merged.properties[name] = value }
        }
        return merged
    }

    /// A no of either is a no; a yes of either is a yes where nobody said no.
    private static func stricter(_ one: Bool?, _ other: Bool?) -> Bool? {
        if one == false || other == false { return false }
        return one ?? other
    }

    /// What a person decided counts whatever address it was about; what a mailbox did follows its address.
    private func status(takesOther: Bool) -> EmailStatus {
        let both: [EmailStatus] = [winner.emailStatus, loser.emailStatus]
        for decided in [EmailStatus.complained, .unsubscribed] where both.contains(decided) { return decided }
        let kept: EmailStatus = takesOther ? loser.emailStatus : winner.emailStatus
        return kept
    }

    /// Addresses and numbers that the one person does not carry any more, for finding them by.
    var former: [IdentityKey] {
        let merged: MergeFields = result
        let keys: [String] = [winner.emailKey, loser.emailKey].compactMap { $0 }.filter { $0 != merged.emailKey }
        let numbers: [String] = [winner.phone, loser.phone].compactMap { $0 }.filter { $0 != merged.phone }
        return Set(keys).sorted().map(IdentityKey.formerEmail) + Set(numbers).sorted().map(IdentityKey.formerPhone)
    }
}

/// Taking a merge back: each field that nobody changed since gets its value from before.
struct MergeReversal: Sendable {
    let before: MergeFields
    let after: MergeFields
    let now: MergeFields

    /// The winner's fields, and those that stay because somebody changed them since.
    var outcome: (fields: MergeFields, kept: [String]) {
        var fields: MergeFields = now
        var kept: [String] = []
        func back<Value: Equatable>(_ label: String, _ path: WritableKeyPath<MergeFields, Value>) {
            guard before[keyPath: path] != after[keyPath: path] else { return }
            if now[keyPath: path] == after[keyPath: path] {
                fields[keyPath: path] = before[keyPath: path]
            } else if now[keyPath: path] != before[keyPath: path] {
                kept.append(label)
            }
        }
        if before.emailKey != after.emailKey {
            if now.emailKey == after.emailKey {
                fields.email = before.email
                fields.emailKey = before.emailKey
            } else if now.emailKey != before.emailKey {
                kept.append("E-mail")
            }
        }
        back("Phone", \.phone)
        back("First name", \.firstName)
        back("Last name", \.lastName)
        back("Company", \.company)
        back("E-mail status", \.emailStatus)
        back("Opens and clicks", \.trackingAllowed)
        back("Consent basis", \.consentBasis)
        back("Consent to e-mails", \.emailOptIn)
        back("Consent to text messages", \.smsOptIn)
        let added: Set<String> = Set(after.tags).subtracting(before.tags)
        fields.tags = now.tags.filter { !added.contains($0) }
        for name in Set(before.properties.keys).union(after.properties.keys).sorted()
        where before.properties[name] != after.properties[name] {
            if now.properties[name] == after.properties[name] {
                fields.properties[name] = before.properties[name]
            } else if now.properties[name] != before.properties[name] {
                kept.append(name)
            }
        }
        return (fields, kept)
    }
}
