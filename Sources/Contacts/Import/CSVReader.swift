import Core

/// Reads comma-separated values (RFC 4180 and what the world makes of it) byte by byte, in constant memory.
///
/// Lenient where a person can see what was meant: any line end, quotes inside plain cells, text behind a closing quote,
/// rows of different lengths. A quote that never closes spoils its own line, not the rest of the file: the line is
/// read again as plain text and marked.
struct CSVReader {
    static let maximumCell: Int = 64 * 1024
    static let maximumColumns: Int = 200
    private static let maximumQuotedRecord: Int = 1 << 20

    private enum State { case cellStart, plain, quoted, quoteSeen }
    private enum Scan { case recordDone, needsBytes, mustReread }

    let delimiter: UInt8
    /// The record that `next` read last.
    private(set) var record = CSVRecord()
    /// How many empty lines stood before that record.
    private(set) var blankLines: Int = 0
    /// Where in the file the next record begins.
    private(set) var offset: Int

    private let source: any ByteSource
    private var buffer: [UInt8] = []
    private var position: Int = 0
    private var recordStart: Int = 0
    private var state: State = .cellStart
    private var isReread: Bool = false
    /// The last line end was a CR at the end of a block: an LF that follows belongs to it.
    private var endedWithCR: Bool = false
    private var sourceEnded: Bool = false

    /// - Parameter offset: where the source stands in the file; a byte order mark at 0 is passed over.
    init(source: any ByteSource, delimiter: UInt8, offset: Int = 0) {
        self.source = source
        self.delimiter = delimiter
        self.offset = offset
    }

    /// Reads the next record; false at the end of the file. Lines without any character are passed over.
    mutating func next() throws -> Bool {
        record.clear()
        state = .cellStart
        isReread = false
        recordStart = position
        blankLines = 0
        while true {
            if position == buffer.count, try !refill() {
                if state == .quoted {
                    reread()
                    continue
                }
                guard position > recordStart || record.cellCount > 0 || record.flaw != nil || record.isOverlong else {
                    return false
                }
                record.endCell()
                return finish()
            }
            let followsCR: Bool = endedWithCR && buffer[position] == 10
            switch scan() {
            case .needsBytes: continue
            case .mustReread: reread()
            case .recordDone:
                if record.isBlankLine {
                    if !followsCR || position - recordStart > 1 { blankLines += 1 }
                    record.clear()
                    state = .cellStart
                    isReread = false
                    offset += position - recordStart
                    recordStart = position
                    continue
                }
                return finish()
            }
        }
    }

    private mutating func finish() -> Bool {
        offset += position - recordStart
        recordStart = position
        return true
    }

    /// Goes back to the beginning of the record and takes quotes as ordinary characters.
    private mutating func reread() {
        position = recordStart
        record.clear()
        record.flaw = .openQuote
        isReread = true
        state = .plain
    }

    private mutating func refill() throws -> Bool {
        guard !sourceEnded else { return false }
        if recordStart > 0 {
            buffer.removeFirst(recordStart)
            position -= recordStart
            recordStart = 0
        }
        let isFirst: Bool = offset == 0 && buffer.isEmpty
        guard try source.read(into: &buffer) else {
            sourceEnded = true
            return false
        }
        if isFirst, buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
            position = 3
            recordStart = 3
            offset = 3
        }
        return true
    }

    /// Walks over the buffer up to the record's end or the buffer's.
    private mutating func scan() -> Scan {
        var index: Int = position
        var outcome: Scan = .needsBytes
        buffer.withUnsafeBufferPointer { bytes in
            while index < bytes.count {
                switch state {
                case .cellStart:
                    if bytes[index] == UInt8(ascii: "\""), !isReread {
                        index += 1
                        state = .quoted
                    } else {
                        state = .plain
                    }
                case .plain:
                    if plainRun(bytes, &index) {
                        outcome = .recordDone
                        return
                    }
                case .quoted:
                    guard quotedRun(bytes, &index) else {
                        outcome = .mustReread
                        return
                    }
                case .quoteSeen:
                    if bytes[index] == UInt8(ascii: "\"") {
                        record.append(UnsafeBufferPointer(rebasing: bytes[index..<(index + 1)]))
                        index += 1
                        state = .quoted
                    } else {
                        state = .plain
                    }
                }
            }
        }
        position = index
        return outcome
    }

    /// Takes characters up to the cell's end; true when the record ends with it.
    private mutating func plainRun(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Bool {
        let start: Int = index
        var byte: UInt8 = 0
        while index < bytes.count {
            byte = bytes[index]
            if byte == delimiter || byte == 10 || byte == 13 { break }
            index += 1
        }
        if index > start {
            record.append(UnsafeBufferPointer(rebasing: bytes[start..<index]))
            // A cell beyond all bounds is not kept, and cannot be gone back to: let go of its bytes.
            if record.flaw != nil || record.isOverlong { forget(upTo: index) }
        }
        guard index < bytes.count else { return false }
        let isPair: Bool = byte == 13 && index + 1 < bytes.count && bytes[index + 1] == 10
        if byte != delimiter { endedWithCR = byte == 13 && index + 1 == bytes.count }
        index += isPair ? 2 : 1
        record.endCell()
        state = .cellStart
        return byte != delimiter
    }

    /// Takes characters up to the closing quote; false when the quote is open for too long.
    private mutating func quotedRun(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Bool {
        let start: Int = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += 1 }
        if index > start { record.append(UnsafeBufferPointer(rebasing: bytes[start..<index])) }
        if record.isOverlong || index - recordStart > Self.maximumQuotedRecord { return false }
        if index < bytes.count {
            index += 1
            state = .quoteSeen
        }
        return true
    }

    private mutating func forget(upTo index: Int) {
        offset += index - recordStart
        recordStart = index
    }
}

/// Where bytes come from, block by block.
protocol ByteSource {
    /// Appends the next block; false at the end.
    func read(into buffer: inout [UInt8]) throws -> Bool
}

/// One record: the bytes of all cells one after the other, and where each ends.
struct CSVRecord {
    enum Flaw: Sendable, Equatable { case openQuote, cellTooLong, tooManyColumns }

    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []
    var flaw: Flaw?
    private var cellStart: Int = 0
    fileprivate private(set) var isOverlong: Bool = false

    var cellCount: Int { ends.count }

    /// A line with nothing on it.
    var isBlankLine: Bool { ends.count == 1 && ends[0] == 0 && flaw == nil }

    func range(_ cell: Int) -> Range<Int> {
        (cell == 0 ? 0 : ends[cell - 1])..<ends[cell]
    }

    /// A cell as text; empty when the row is shorter.
    func text(_ cell: Int) -> String {
        cell < ends.count ? String(decoding: bytes[range(cell)], as: UTF8.self) : ""
    }

    var texts: [String] { ends.indices.map(text) }

    fileprivate mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        flaw = nil
        cellStart = 0
        isOverlong = false
    }

    fileprivate mutating func append(_ run: UnsafeBufferPointer<UInt8>) {
        let room: Int = CSVReader.maximumCell - (bytes.count - cellStart)
        if run.count > room {
            isOverlong = true
            bytes.append(contentsOf: run.prefix(max(0, min(room, 200 - (bytes.count - cellStart)))))
        } else if !isOverlong, ends.count < CSVReader.maximumColumns {
            bytes.append(contentsOf: run)
        }
    }

    fileprivate mutating func endCell() {
        if isOverlong, flaw == nil { flaw = .cellTooLong }
        isOverlong = false
        if ends.count < CSVReader.maximumColumns {
            ends.append(bytes.count)
        } else if flaw == nil {
            flaw = .tooManyColumns
        }
        cellStart = bytes.count
    }
}
