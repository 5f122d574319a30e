import Testing

@testable import Segments

@Suite("Where questions begin")
struct RuleStartTests {
    private func choose(_ sizes: [Int], of people: Int = 1_000_000) -> RuleStart {
        RuleStart.choose(
            sizes.enumerated().map { RuleStart.Size(place: $0.offset, entries: $0.element) }, of: people)
    }

    @Test("A short set is enough: a much longer one is not read to shorten it")
    func short() {
        #expect(choose([100_000, 5_000]).places == [1])
        #expect(choose([900_000, 3]).places == [1])
    }

    @Test("Sets of like size are brought together before people are fetched")
    func alike() {
        let start: RuleStart = choose([200_000, 50_000])
        #expect(start.places == [1, 0])
        #expect(start.left == 10_000)
        #expect(start.entries == 250_000)
    }

    @Test("Deeds that few people did so often are read before longer lists of people")
    func often() {
        let thrice = RuleStart.Size(place: 0, deeds: 300_000, atLeast: 3, of: 1_000_000)
        #expect(thrice.people == 4_500)
        let start: RuleStart = RuleStart.choose(
            [RuleStart.Size(place: 1, entries: 500_000), thrice], of: 1_000_000)
        #expect(start.places == [0])
        #expect(RuleStart.Size(place: 0, deeds: 3_000_000, atLeast: 1, of: 1_000_000).people == 750_000)
    }

    @Test("Where sets name nearly everybody, or there are few people at all, all are read in turn")
    func broad() {
        #expect(choose([900_000, 800_000]).places.isEmpty)
        #expect(choose([]).places.isEmpty)
        #expect(choose([10, 20], of: 5_000).places.isEmpty)
    }
}
