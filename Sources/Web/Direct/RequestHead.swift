import NIOCore

/// The head of a request, as it lies in the bytes of a connection.
///
/// Only a plain head is read: CRLF line ends, no folded lines, one host, at most one length, no transfer coding, a
/// connection that stays (RFC 9112 §§2, 3, 5, 6.3). Any other is nil and left to the server's own parser, so that the two
/// never disagree about where a request ends.
package struct RequestHead: Sendable {
    private let bytes: ByteBuffer
    private let lines: HeadLines

    /// - Parameter bytes: begin with the head; nil when it is not whole yet.
    package init?(_ bytes: ByteBuffer) {
        guard let lines = bytes.withUnsafeReadableBytes({ HeadLines($0) }) else { return nil }
        self.bytes = bytes
        self.lines = lines
    }

    /// Up to and with the empty line.
    var byteCount: Int { lines.end }

    /// Nil without `Content-Length`.
    var bodyLength: Int? { lines.bodyLength }

    var isGet: Bool { lines.isGet }

    /// What lies behind a prefix of the request's target; nil when the target begins otherwise.
    func target(after prefix: [UInt8]) -> Substring.UTF8View? {
        bytes.withUnsafeReadableBytes { all in
            let target = UnsafeRawBufferPointer(rebasing: all[lines.target])
            guard target.starts(with: prefix) else { return nil }
            return Substring(String(decoding: target.dropFirst(prefix.count), as: UTF8.self)).utf8
        }
    }

    /// The last value of a header field, without the white space around it.
    /// - Parameter name: in small letters.
    package func value(of name: StaticString) -> String? {
        bytes.withUnsafeReadableBytes { all in
            var reader = HeadReader(all, at: lines.firstField)
            var found: Range<Int>?
            while reader.position < lines.end, let field = reader.field() {
                if HeadReader.equal(all[field.name], name) { found = field.value }
            }
            return found.map { String(decoding: all[$0], as: UTF8.self) }
        }
    }
}

/// Where the parts of a plain head lie.
private struct HeadLines {
    let isGet: Bool
    let target: Range<Int>
    let firstField: Int
    private(set) var end = 0
    private(set) var bodyLength: Int?
    private var hosts = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = HeadReader(bytes, at: 0)
        guard let method = reader.word({ (0x41...0x5A).contains($0) }),
            let target = reader.word({ (0x21...0x7E).contains($0) }), reader.skip("HTTP/1.1\r\n")
        else { return nil }
        isGet = HeadReader.equal(bytes[method], "get")
        self.target = target
        firstField = reader.position
        while !reader.skip("\r\n") {
            guard let field = reader.field(), take(bytes[field.name], bytes[field.value]) else { return nil }
        }
        guard hosts == 1 else { return nil }
        end = reader.position
    }

    /// Notes what says how long the request is; false where that is not plain.
    private mutating func take(_ name: Slice<UnsafeRawBufferPointer>, _ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        switch name.count {
        case 4 where HeadReader.equal(name, "host"):
            hosts += 1
        case 14 where HeadReader.equal(name, "content-length"):
            guard bodyLength == nil, let length = HeadReader.number(value) else { return false }
            bodyLength = length
        case 10 where HeadReader.equal(name, "connection"):
            return HeadReader.equal(value, "keep-alive")
        case 17 where HeadReader.equal(name, "transfer-encoding"), 7 where HeadReader.equal(name, "upgrade"),
            6 where HeadReader.equal(name, "expect"):
            return false
        default: break
        }
        return true
    }
}

/// Goes through the lines of a head.
private struct HeadReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// Bytes of one kind, at least one, with a space behind them.
    mutating func word(_ isAllowed: (UInt8) -> Bool) -> Range<Int>? {
        let start = position
        while position < bytes.count, isAllowed(bytes[position]) { position += 1 }
        guard position > start, position < bytes.count, bytes[position] == UInt8(ascii: " ") else { return nil }
        position += 1
        return start..<(position - 1)
    }

    /// Whether exactly this comes next; goes on behind it.
    mutating func skip(_ text: StaticString) -> Bool {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[position + offset] != text.utf8Start[offset] {
            return false
        }
        position = end
        return true
    }

    /// A line of a name, a colon and a value.
    mutating func field() -> (name: Range<Int>, value: Range<Int>)? {
        let start = position
        while position < bytes.count, Self.isToken(bytes[position]) { position += 1 }
        guard position > start, position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return nil }
        let name = start..<position
        position += 1
        let behind = position
        while position < bytes.count, bytes[position] >= 0x20 || bytes[position] == 9, bytes[position] != 0x7F {
            position += 1
        }
        let value = trimmed(behind..<position)
        return skip("\r\n") ? (name, value) : nil
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (first, last) = (range.lowerBound, range.upperBound)
        while first < last, Self.isBlank(bytes[first]) { first += 1 }
        while first < last, Self.isBlank(bytes[last - 1]) { last -= 1 }
        return first..<last
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 }

    /// The characters of a field's name (RFC 9110 §5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "!"),
            UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Whether bytes are a text in small letters, capital or small themselves.
    static func equal(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<bytes.count {
            let byte = bytes[bytes.startIndex + offset]
            let small = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if small != text.utf8Start[offset] { return false }
        }
        return true
    }

    /// Up to ten digits.
    static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...10).contains(digits.count) else { return nil }
        var number = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        return number
    }
}
