import Core

/// Who is who, for a batch of people: what the database knows of them, and what the batch has found out so far. Decides
/// without the database, so that people who come twice in a batch are found like all others.
struct IdentityBook: Sendable {
    /// What a person is known by.
    struct Person: Sendable {
        var emailKey: String?
        var phone: String?
        var userIDs: Set<String> = []
    }

    private(set) var people: [ContactID: Person] = [:]
    private var links: [IdentityKey: ContactID] = [:]
    private var emails: [String: ContactID] = [:]
    private var phones: [String: ContactID] = [:]

    /// Who fits, and who else does.
    struct Decision: Sendable, Equatable {
        var contact: ContactID?
        var matchedBy: IdentifierKind?
        var conflicts: [IdentityMatch.Conflict] = []
    }

    // MARK: What is known

    mutating func note(_ id: ContactID, _ person: Person) {
        people[id] = person
    }

    mutating func note(_ key: IdentityKey, of id: ContactID) {
        links[key] = id
    }

    mutating func note(email key: String, of id: ContactID) {
        emails[key] = id
    }

    mutating func note(phone number: String, of id: ContactID) {
        phones[number] = id
    }

    func owner(ofEmail key: String) -> ContactID? { emails[key] }

    func owner(of key: IdentityKey) -> ContactID? { links[key] }

    // MARK: Deciding

    /// The strongest clue wins. A weaker clue does not find a person whom a stronger one tells apart: another account,
    /// or another address where only the number fits.
    func decide(_ clues: PersonClues) -> Decision {
        var decision = Decision()
        for (kind, id) in candidates(clues) {
            if decision.contact == id || decision.conflicts.contains(where: { $0.contact == id }) { continue }
            if decision.contact == nil, !isContradicted(id, kind, clues) {
                decision.contact = id
                decision.matchedBy = kind
            } else {
                decision.conflicts.append(IdentityMatch.Conflict(contact: id, kind: kind))
            }
        }
        return decision
    }

    private func candidates(_ clues: PersonClues) -> [(IdentifierKind, ContactID)] {
        var found: [(IdentifierKind, ContactID)] = []
        func add(_ kind: IdentifierKind, _ id: ContactID?) {
            if let id { found.append((kind, id)) }
        }
        add(.userId, clues.userID.flatMap { links[.user($0)] })
        for external in clues.externals { add(.externalId, links[.external(external)]) }
        if let key = clues.email?.key { add(.email, emails[key] ?? links[.formerEmail(key)]) }
        if let number = clues.phone?.e164 { add(.phone, phones[number] ?? links[.formerPhone(number)]) }
        return found
    }

    private func isContradicted(_ id: ContactID, _ kind: IdentifierKind, _ clues: PersonClues) -> Bool {
        guard kind.confidence < 100, let person = people[id] else { return false }
        if let user = clues.userID, !person.userIDs.isEmpty, !person.userIDs.contains(user) { return true }
        guard kind == .phone, let wanted = clues.email?.key, let own = person.emailKey else { return false }
        return wanted != own
    }

    // MARK: What was found out

    /// Links the clues that nobody has yet; answers them.
    mutating func link(_ clues: PersonClues, to id: ContactID) -> [IdentityKey] {
        var wanted: [IdentityKey] = clues.externals.map(IdentityKey.external)
        if let user = clues.userID {
            wanted.append(.user(user))
            if links[.user(user)] == nil { people[id, default: Person()].userIDs.insert(user) }
        }
        let new: [IdentityKey] = wanted.filter { links[$0] == nil }
        for key in new { links[key] = id }
        return new
    }

    /// Gives a person an address unless somebody else has it; false then.
    mutating func take(email key: String, for id: ContactID) -> Bool {
        if let owner = emails[key], owner != id { return false }
        if let old = people[id]?.emailKey, old != key { emails[old] = nil }
        emails[key] = id
        people[id, default: Person()].emailKey = key
        return true
    }

    /// Numbers may belong to several people; the first keeps being found.
    mutating func take(phone number: String, for id: ContactID) {
        people[id, default: Person()].phone = number
        if phones[number] == nil { phones[number] = id }
    }

    /// Takes an address away from a person.
    mutating func drop(email key: String, of id: ContactID) {
        if emails[key] == id { emails[key] = nil }
        people[id]?.emailKey = nil
    }

    /// Forgets a person who was deleted.
    mutating func forget(_ id: ContactID) {
        people[id] = nil
        emails = emails.filter { $0.value != id }
        phones = phones.filter { $0.value != id }
        links = links.filter { $0.value != id }
    }
}
