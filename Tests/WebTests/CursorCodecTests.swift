import Testing
import Web

@Suite("Cursors")
struct CursorCodecTests {
    private let codec = CursorCodec(key: Array(0..<32))

    @Test(
        "Keys come back as they went in", arguments: [[], ["a"], ["", "zoë", "2026-01-15"], ["a,b", "c\"d", "e\nf"]])
    func roundTrips(keys: [String]) {
        #expect(codec.decode(codec.encode(keys)) == keys)
    }

    @Test("Any change to a cursor is refused")
    func refusesForgery() {
        let cursor = codec.encode(["2026-01-15", "0192"])
        for index in cursor.indices {
            var forged = cursor
            forged.replaceSubrange(index...index, with: cursor[index] == "A" ? "B" : "A")
            #expect(codec.decode(forged) == nil)
        }
        #expect(codec.decode(String(cursor.dropLast())) == nil)
        #expect(CursorCodec(key: Array(1..<33)).decode(cursor) == nil)
        #expect(codec.decode("") == nil)
        #expect(codec.decode(cursor, realm: "another workspace") == nil)
        let own = codec.encode(["0192"], realm: "mine")
        #expect(codec.decode(own, realm: "mine") == ["0192"])
        #expect(codec.decode(own) == nil && codec.decode(own, realm: "yours") == nil)
    }
}
