import Core
import Foundation
import Testing

struct UUIDFormsTests {
    @Test("A UUID is read from its canonical form, in capital and in small letters")
    func reads() {
        for _ in 0..<100 {
            let uuid = UUID()
            #expect(UUID(canonical: uuid.uuidString) == uuid)
            #expect(UUID(canonical: uuid.lowercased) == uuid)
            #expect(uuid.lowercased == uuid.uuidString.lowercased())
        }
    }

    @Test(
        "Anything but the canonical form is no UUID",
        arguments: [
            "", "f81d4fae7dec11d0a76500a0c91e6bf6", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf", "f81d4fae-7dec-11d0-a765-00a0c91e6bf61",
            "+81d4fae-7dec-11d0-a765-00a0c91e6bf6", " 81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bg6", "f81d4fae_7dec-11d0-a765-00a0c91e6bf6",
            "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bé",
        ])
    func refuses(text: String) {
        #expect(UUID(canonical: text) == nil)
    }

    @Test("Version 7 carries milliseconds, version and variant, and every given bit (RFC 9562 §5.7, appendix A.6)")
    func versionSeven() {
        let date = Date(timeIntervalSince1970: 1_645_557_742)
        let uuid = UUID.version7(at: date, high: 0xCC3, low: 0x18C4_DC0C_0C07_398F)
        #expect(uuid.lowercased == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(UUID.version7(at: date, high: .max, low: .max).lowercased == "017f22e2-79b0-7fff-bfff-ffffffffffff")
        #expect(UUID.zero.lowercased == "00000000-0000-0000-0000-000000000000")
    }
}
