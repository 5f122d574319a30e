import Core
import FoundationEssentials
import Testing

@testable import Contacts

@Suite("Who is who")
struct IdentityBookTests {
    private let ids: [ContactID] = (0..<4).map { _ in IdentifierSource().next() }

    private func email(_ text: String) throws -> EmailAddress { try EmailAddress(parsing: text) }

    @Test("The strongest clue wins, and the others are told as conflicts, strongest first")
    func strongestWins() throws {
        var book = IdentityBook()
        for (id, user) in zip(ids, ["u1", "", "", ""]) {
            book.note(id, .init(userIDs: user.isEmpty ? [] : [user]))
        }
        book.note(.user("u1"), of: ids[0])
        book.note(.external(ExternalIdentity(source: "crm", value: "7")), of: ids[1])
        book.note(email: "ana@example.com", of: ids[2])
        book.note(phone: "+14155552671", of: ids[3])
        let decision = book.decide(
            PersonClues(
                userID: "u1", externals: [ExternalIdentity(source: "crm", value: "7")],
                email: try email("Ana@Example.com"), phone: try PhoneNumber(parsing: "+1 415 555 2671")))
        #expect(decision.contact == ids[0])
        #expect(decision.matchedBy == .userId)
        #expect(decision.conflicts.map(\.kind) == [.externalId, .email, .phone])
        #expect(IdentifierKind.allCases.map(\.confidence) == [100, 100, 95, 85])
    }

    @Test("Another account tells people with one address apart")
    func anotherAccount() throws {
        var book = IdentityBook()
        book.note(ids[0], .init(emailKey: "info@example.com", userIDs: ["u1"]))
        book.note(.user("u1"), of: ids[0])
        book.note(email: "info@example.com", of: ids[0])
        let decision = book.decide(PersonClues(userID: "u2", email: try email("info@example.com")))
        #expect(decision.contact == nil)
        #expect(decision.conflicts == [.init(contact: ids[0], kind: .email)])
    }

    @Test("Another address tells people with one phone number apart; the same number alone finds them")
    func sharedPhone() throws {
        var book = IdentityBook()
        book.note(ids[0], .init(emailKey: "ana@example.com", phone: "+14155552671"))
        book.note(phone: "+14155552671", of: ids[0])
        let phone = try PhoneNumber(parsing: "+14155552671")
        #expect(book.decide(PersonClues(email: try email("bo@example.com"), phone: phone)).contact == nil)
        #expect(book.decide(PersonClues(phone: phone)).contact == ids[0])
    }

    @Test("Somebody who comes twice in a batch is one person")
    func twiceInABatch() throws {
        var book = IdentityBook()
        let first = PersonClues(userID: "u1", email: try email("ana@example.com"))
        #expect(book.decide(first).contact == nil)
        let links = book.link(first, to: ids[0])
        #expect(links == [.user("u1")])
        let isTaken = book.take(email: "ana@example.com", for: ids[0])
        #expect(isTaken)
        #expect(book.decide(PersonClues(email: try email("ANA@example.com"))).contact == ids[0])
        let isTakenTwice = book.take(email: "ana@example.com", for: ids[1])
        #expect(!isTakenTwice)
    }

    @Test("A link that leads to somebody else stays")
    func linksStay() throws {
        var book = IdentityBook()
        book.note(ids[0], .init())
        book.note(.external(ExternalIdentity(value: "7")), of: ids[0])
        let clues = PersonClues(userID: "u2", externals: [ExternalIdentity(value: "7")])
        let links = book.link(clues, to: ids[1])
        #expect(links == [.user("u2")])
        #expect(book.owner(of: .external(ExternalIdentity(value: "7"))) == ids[0])
    }
}
