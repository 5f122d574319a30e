import Core

/// A ZIP archive of a few small files, stored as they are (PKWARE APPNOTE 6.3.10, method 0).
struct ZipArchive {
    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: Int = 0

    /// Adds a file. Its name is in UTF-8; its time is left at the format's first day, so that the same content gives the
    /// same archive.
    mutating func add(_ name: String, _ content: [UInt8]) {
        let title: [UInt8] = Array(name.utf8)
        let sum: UInt32 = CRC32.checksum(content)
        let offset: Int = bytes.count
        // Version 2.0, names in UTF-8 (bit 11), stored, 1 January 1980.
        let common: [UInt8] =
            Self.short(20) + Self.short(0x0800) + Self.short(0) + Self.short(0) + Self.short(0x21) + Self.long(sum)
            + Self.long(UInt32(content.count)) + Self.long(UInt32(content.count)) + Self.short(title.count)
        bytes += Self.long(0x0403_4b50) + common + Self.short(0) + title + content
        directory += Self.long(0x0201_4b50) + Self.short(20) + common
        directory += Self.short(0) + Self.short(0) + Self.short(0) + Self.short(0) + Self.long(0)
        directory += Self.long(UInt32(offset)) + title
        count += 1
    }

    /// The whole archive with its directory at the end.
    func finished() -> [UInt8] {
        let start: Int = bytes.count
        let end: [UInt8] =
            Self.long(0x0605_4b50) + Self.short(0) + Self.short(0) + Self.short(count) + Self.short(count)
            + Self.long(UInt32(directory.count)) + Self.long(UInt32(start)) + Self.short(0)
        return bytes + directory + end
    }

    private static func short(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    private static func long(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}

/// The checksum of ZIP (polynomial 0xEDB88320).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1
        }
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes { value = (value >> 8) ^ table[Int((value ^ UInt32(byte)) & 0xFF)] }
        return value ^ 0xFFFF_FFFF
    }
}
