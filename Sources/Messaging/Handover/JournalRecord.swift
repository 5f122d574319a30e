import Core
import FoundationEssentials

/// One entry of the hand-over journal, and its few bytes.
package enum JournalRecord: Sendable, Equatable {
    package struct Run: Sendable, Hashable {
        package let workspace: WorkspaceID
        package let send: SendID

        package init(workspace: WorkspaceID, send: SendID) {
            self.workspace = workspace
            self.send = send
        }
    }

    package struct Batch: Sendable, Hashable {
        package let run: Run
        package let id: BatchID
        package let fence: Int64

        package init(run: Run, id: BatchID, fence: Int64) {
            self.run = run
            self.id = id
            self.fence = fence
        }
    }

    /// How a hand-over ended. Skipped and unbegun messages leave no record: nothing of theirs can be lost.
    package struct Result: Sendable, Equatable {
        package let message: MessageID
        package let outcome: HandoverOutcome

        package init(message: MessageID, outcome: HandoverOutcome) {
            self.message = message
            self.outcome = outcome
        }
    }

    case run(Run)
    case begin(UInt32, Batch)
    case handing(UInt32, MessageID)
    case ended(UInt32, Result)
    case settled(UInt32)

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .run(let run):
            bytes.append(UInt8(ascii: "R"))
            bytes.append(run.workspace.uuid)
            bytes.append(run.send.uuid)
        case .begin(let tag, let batch):
            bytes.append(UInt8(ascii: "B"))
            bytes.append(tag)
            bytes.append(batch.run.workspace.uuid)
            bytes.append(batch.run.send.uuid)
            bytes.append(batch.id.uuid)
            bytes.append(UInt64(bitPattern: batch.fence))
        case .handing(let tag, let message):
            bytes.append(UInt8(ascii: "H"))
            bytes.append(tag)
            bytes.append(message.uuid)
        case .ended(let tag, let result):
            bytes.append(UInt8(ascii: "E"))
            bytes.append(tag)
            bytes.append(result.message.uuid)
            let (code, text): (UInt8, String) = JournalOutcome.encode(result.outcome)
            let detail = Array(text.utf8.prefix(200))
            bytes.append(code)
            bytes.append(UInt8(detail.count))
            bytes.append(contentsOf: detail)
        case .settled(let tag):
            bytes.append(UInt8(ascii: "S"))
            bytes.append(tag)
        }
    }

    /// All whole records; a torn one at the end, and whatever follows an unreadable one, is left out.
    package static func parse(_ bytes: [UInt8]) -> [JournalRecord] {
        var reader = JournalReader(bytes: bytes)
        var records: [JournalRecord] = []
        while let record = reader.next() { records.append(record) }
        return records
    }
}

/// The outcomes that the journal can hold.
enum JournalOutcome {
    static func encode(_ outcome: HandoverOutcome) -> (UInt8, String) {
        switch outcome {
        case .accepted(let text): (1, text)
        case .soft(let text): (2, text)
        case .deferredByPolicy(let text): (3, text)
        case .hard(let text): (4, text)
        case .blocked(let text): (5, text)
        case .rejected(let text): (6, text)
        case .misconfigured(let text): (7, text)
        case .unavailable(let text): (8, text)
        case .uncertain(_, let text): (9, text)
        case .softFailure(let text): (11, text)
        case .skipped, .unrenderable, .cancelled, .notStarted: (10, "")
        }
    }

    static func decode(_ code: UInt8, _ text: String) -> HandoverOutcome? {
        switch code {
        case 1: .accepted(text)
        case 2: .soft(text)
        case 3: .deferredByPolicy(text)
        case 4: .hard(text)
        case 5: .blocked(text)
        case 6: .rejected(text)
        case 7: .misconfigured(text)
        case 8: .unavailable(text)
        case 9: .uncertain(.connectionLostAfterData, text)
        case 10: .notStarted
        case 11: .softFailure(text)
        default: nil
        }
    }
}

private struct JournalReader {
    let bytes: [UInt8]
    var position = 0

    mutating func next() -> JournalRecord? {
        guard let kind = byte() else { return nil }
        switch kind {
        case UInt8(ascii: "R"):
            guard let run = run() else { return nil }
            return .run(run)
        case UInt8(ascii: "B"):
            guard let tag = tag(), let run = run(), let id = uuid(), let fence = number(8) else { return nil }
            return .begin(tag, .init(run: run, id: BatchID(id), fence: Int64(bitPattern: fence)))
        case UInt8(ascii: "H"):
            guard let tag = tag(), let message = uuid() else { return nil }
            return .handing(tag, MessageID(message))
        case UInt8(ascii: "E"):
            guard let tag = tag(), let message = uuid(), let code = byte(), let count = byte(),
                position + Int(count) <= bytes.count
            else { return nil }
            let text = String(decoding: bytes[position..<position + Int(count)], as: UTF8.self)
            position += Int(count)
            guard let outcome = JournalOutcome.decode(code, text) else { return nil }
            return .ended(tag, .init(message: MessageID(message), outcome: outcome))
        case UInt8(ascii: "S"):
            guard let tag = tag() else { return nil }
            return .settled(tag)
        default:
            return nil
        }
    }

    private mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        position += 1
        return bytes[position - 1]
    }

    private mutating func number(_ count: Int) -> UInt64? {
        guard position + count <= bytes.count else { return nil }
        var value: UInt64 = 0
        for index in position..<position + count { value = value << 8 | UInt64(bytes[index]) }
        position += count
        return value
    }

    private mutating func tag() -> UInt32? { number(4).map { UInt32(truncatingIfNeeded: $0) } }

    private mutating func uuid() -> UUID? {
        guard position + 16 <= bytes.count else { return nil }
        let value: uuid_t = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: uuid_t.self) }
        position += 16
        return UUID(uuid: value)
    }

    private mutating func run() -> JournalRecord.Run? {
        guard let workspace = uuid(), let send = uuid() else { return nil }
        return .init(workspace: WorkspaceID(workspace), send: SendID(send))
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ uuid: UUID) {
        Swift.withUnsafeBytes(of: uuid.uuid) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ number: UInt32) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ number: UInt64) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
