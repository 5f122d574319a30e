import FoundationEssentials

// Foundation opens `/dev/urandom` for an empty UUID and scans formats to read one, which costs more than the work around it.

extension UUID {
    /// All bits zero (RFC 9562 §5.9): stands for nobody.
    package static let zero = UUID(high: 0, low: 0)

    /// The UUID whose first and last eight bytes are these numbers.
    package init(high: UInt64, low: UInt64) {
        let words: (UInt64, UInt64) = (high.bigEndian, low.bigEndian)
        self.init(uuid: withUnsafeBytes(of: words) { $0.loadUnaligned(as: uuid_t.self) })
    }

    /// A UUID of version 7 (RFC 9562 §5.7) from a time, 12 bits of `high` and 62 bits of `low`.
    package static func version7(at date: Date, high: UInt64, low: UInt64) -> UUID {
        let milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
        return UUID(
            high: milliseconds << 16 | 0x7000 | (high & 0x0FFF),
            low: 0x8000_0000_0000_0000 | (low & 0x3FFF_FFFF_FFFF_FFFF))
    }

    /// Reads the canonical 36 characters (RFC 9562 §4), capital or small; anything else is nil.
    package init?(canonical text: String) {
        self.init(canonical: text.utf8.span)
    }

    /// Reads the canonical 36 characters where they lie.
    package init?(canonical characters: Span<UInt8>) {
        guard characters.count == 36 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for place in characters.indices {
            switch place {
            case 8, 13, 18, 23:
                guard characters[place] == UInt8(ascii: "-") else { return nil }
            default:
                guard let digit = Hexadecimal.value(of: characters[place]) else { return nil }
                high = high << 4 | low >> 60
                low = low << 4 | UInt64(digit)
            }
        }
        self.init(high: high, low: low)
    }

    /// The canonical form in small letters.
    package var lowercased: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            withUnsafeBytes(of: uuid) { bytes in
                var position = 0
                for (index, byte) in bytes.enumerated() {
                    if index == 4 || index == 6 || index == 8 || index == 10 {
                        buffer[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    buffer[position] = Hexadecimal.digits[Int(byte >> 4)]
                    buffer[position + 1] = Hexadecimal.digits[Int(byte & 15)]
                    position += 2
                }
            }
            return 36
        }
    }
}
