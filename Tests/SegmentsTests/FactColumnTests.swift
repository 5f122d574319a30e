import Contacts
import Core
import FoundationEssentials
import Testing

@testable import Segments

@Suite("Columns of the copies for counting")
struct FactColumnTests {
    private func property(_ number: UInt8, _ type: PropertyType) -> RuleProperty {
        let id = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number))
        return RuleProperty(id: PropertyID(id), name: "p\(number)", type: type, isFast: false)
    }

    /// As they are when they have been filled.
    private func filled(_ properties: [RuleProperty]) -> [FactAssignment] {
        FactAssignment.settled([], for: properties).map { assignment in
            var assignment = assignment
            assignment.isFilled = true
            return assignment
        }
    }

    @Test("Properties get the first free column of their kind")
    func first() {
        let all: [RuleProperty] = PropertyType.allCases.enumerated().map { property(UInt8($0.offset), $0.element) }
        let settled: [FactAssignment] = FactAssignment.settled([], for: all)
        #expect(
            settled.map { "\($0.key) \($0.column.name) \($0.column.kind)" } == [
                "p0 text1 text", "p1 long1 long", "p2 number1 number", "p3 number2 money", "p4 flag1 flag",
                "p5 text2 date",
                "p6 text3 date", "p7 text4 text", "p8 text5 choices", "p9 text6 text",
            ])
        #expect(settled.allSatisfy { !$0.isFilled })
    }

    @Test("Properties keep their columns; a new one gets what is free")
    func keeping() {
        let old: [FactAssignment] = filled([property(1, .text), property(2, .number)])
        #expect(FactAssignment.settled(old, for: [property(2, .number), property(1, .text)]) == old)
        let more: [FactAssignment] = FactAssignment.settled(
            old, for: [property(3, .text), property(1, .text), property(2, .number)])
        #expect(Array(more.prefix(2)) == old)
        #expect(more[2].column.name == "text2" && !more[2].isFilled)
    }

    @Test("The column of a property that is gone is emptied before another one gets it")
    func gone() {
        let old: [FactAssignment] = filled([property(1, .text), property(2, .text)])
        let settled: [FactAssignment] = FactAssignment.settled(old, for: [property(2, .text), property(3, .text)])
        #expect(settled.map(\.column.name) == ["text1", "text2", "text3"])
        #expect(settled[0].property == nil && !settled[0].isFilled)
        #expect(settled[1] == old[1])
        // Until it is there for nobody, it is nobody's.
        #expect(FactAssignment.settled(settled, for: [property(2, .text), property(3, .text)]) == settled)
    }

    @Test("A property of another type is a new one, also where both kinds stand in columns of text")
    func type() {
        let old: [FactAssignment] = filled([property(1, .text)])
        for (type, name) in [(PropertyType.date, "text2"), (.number, "number1")] {
            let settled: [FactAssignment] = FactAssignment.settled(old, for: [property(1, type)])
            #expect(settled.count == 2)
            #expect(settled[0].property == nil)
            #expect(settled[1].column.name == name && settled[1].property == property(1, type).id)
        }
        #expect(FactAssignment.settled(old, for: [property(1, .url)]) == old)
        #expect(
            FactAssignment.settled(old, for: [property(1, .longText)]).map(\.property) == [nil, property(1, .text).id])
    }

    @Test("There are so many columns, and no more")
    func full() {
        let many: [RuleProperty] = (0..<40).map { property($0, .number) }
        let settled: [FactAssignment] = FactAssignment.settled([], for: many)
        #expect(settled.count == 16)
        #expect(Set(settled.map(\.column.name)).count == 16)
    }
}
