import Core
import FoundationEssentials
import Testing

@testable import Contacts

@Suite("Looking through the texts of the newest people")
struct NewestTextsTests {
    /// Newest first: number 0 is the newest.
    private func id(_ number: Int) -> ContactID {
        ContactID(UUID(high: 0x018F_0000_0000_7000, low: UInt64(1_000 - number)))
    }

    private func texts(_ lines: [String], capacity: Int = 100) -> NewestTexts {
        NewestTexts(
            revision: 1, people: lines.indices.map(id), texts: Array(lines.joined(separator: "\n").utf8),
            capacity: capacity, blockSize: 10)
    }

    private func numbers(_ walk: NewestTexts.Walk?) -> [Int]? {
        walk.map { walk in walk.people.compactMap { person in (0..<1000).first { id($0) == person } } }
    }

    @Test("Everybody with all the words is found, wherever they stand, and counted")
    func everybody() {
        let people = texts(["ana ruiz ana@example.com", "bo ek", "", "joana", "björn ana +49171", "an a"])
        #expect(numbers(people.walk(["ana"], before: nil, atMost: 10)) == [0, 3, 4])
        #expect(numbers(people.walk(["ana", "ruiz"], before: nil, atMost: 10)) == [0])
        #expect(numbers(people.walk(["a", "jörn"], before: nil, atMost: 10)) == [4])
        #expect(numbers(people.walk(["49171"], before: nil, atMost: 10)) == [4])
        #expect(numbers(people.walk(["xaver"], before: nil, atMost: 10)) == [])
        #expect(numbers(people.walk(["a ruiz ana@example.com bo"], before: nil, atMost: 10)) == [])
        #expect(people.walk(["ana"], before: nil, atMost: 2) == .init(people: [id(0), id(3)], found: 3, looked: nil))
    }

    @Test("A page goes on behind the last person of the one before")
    func behind() {
        let people = texts((0..<90).map { $0 % 3 == 0 ? "anna \($0)" : "bo \($0)" })
        #expect(numbers(people.walk(["anna"], before: id(30), atMost: 3)) == [33, 36, 39])
        #expect(numbers(people.walk(["anna"], before: id(31), atMost: 3)) == [33, 36, 39])
        #expect(numbers(people.walk(["anna"], before: id(87), atMost: 3)) == [])
        #expect(numbers(people.walk(["anna"], before: id(500), atMost: 3)) == [])
    }

    @Test("Where there are more people than these, only a full page is an answer")
    func part() {
        let people = texts((0..<90).map { $0 % 3 == 0 ? "anna \($0)" : "bo \($0)" }, capacity: 90)
        #expect(
            people.walk(["anna"], before: nil, atMost: 3) == .init(people: [id(0), id(3), id(6)], found: 3, looked: 7))
        #expect(people.walk(["anna"], before: id(6), atMost: 1) == .init(people: [id(9)], found: 1, looked: 3))
        #expect(people.walk(["anna"], before: nil, atMost: 30)?.looked == 88)
        #expect(people.walk(["anna"], before: nil, atMost: 31) == nil)
        #expect(people.walk(["xaver"], before: nil, atMost: 1) == nil)
        #expect(people.walk(["anna"], before: id(89), atMost: 1) == nil)
    }

    @Test("A word that nearly everybody has is not counted to the end")
    func nearlyEverybody() {
        let ids: [ContactID] = (0..<20_010).map { ContactID(UUID(high: 7, low: UInt64(30_000 - $0))) }
        let lines: String = Array(repeating: "anna", count: ids.count).joined(separator: "\n")
        let walk = NewestTexts(revision: 1, people: ids, texts: Array(lines.utf8)).walk(["ann"], before: nil, atMost: 3)
        #expect(walk == .init(people: Array(ids.prefix(3)), found: 20_000, looked: nil))
        let few = NewestTexts(revision: 1, people: ids, texts: Array(lines.utf8)).walk(
            ["ann"], before: ids[20_000], atMost: 3)
        #expect(few == .init(people: Array(ids[20_001...20_003]), found: 9, looked: nil))
    }

    @Test("A workspace without people has nobody")
    func nobody() {
        let none = texts([])
        #expect(none.walk(["ana"], before: nil, atMost: 5) == .init(people: [], found: 0, looked: nil))
        #expect(none.walk(["ana"], before: id(3), atMost: 5)?.found == 0)
    }
}
