import Testing

@testable import Core

@Suite("Pages of program text")
struct ProgramPagesTests {
    @Test("Only text of files is named: no data, no stack, no page without a file")
    func finds() {
        let text = "7f00a000-7f00c000 r-xp 00001000 fe:00 1234                       /usr/lib/with space.so"
        #expect(ProgramPages.range(ofText: text[...]) == 0x7f00_a000..<0x7f00_c000)
        for other in [
            "7f00a000-7f00c000 rw-p 00001000 fe:00 1234 /usr/lib/a.so", "7f00a000-7f00c000 r--p 00000000 fe:00 1 /a.so",
            "7ffc0000-7ffd0000 rw-p 00000000 00:00 0 [stack]", "7ffe0000-7ffe2000 r-xp 00000000 00:00 0 [vdso]",
            "7f00a000-7f00c000 r-xp 00000000 00:00 0", "nonsense", "",
        ] {
            #expect(ProgramPages.range(ofText: other[...]) == nil, "\(other)")
        }
    }

    @Test("The program goes on after giving its pages back")
    func goesOn() {
        ProgramPages.giveBack()
        #expect((try? PhoneNumber(parsing: "+1 415 555 2671")) != nil)
    }
}
