import Core

/// Loaded batches on their way from the one who claims to those who hand over. Holds few: what is loaded is in memory.
actor BatchFeed {
    private let capacity: Int
    private var batches: [LoadedBatch] = []
    private var takers: [CheckedContinuation<LoadedBatch?, Never>] = []
    private var makers: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// How many more batches should be fetched now; waits until at least one should. 0 when the feed is closed.
    func room() async -> Int {
        while !isClosed, batches.count >= capacity {
            await withCheckedContinuation { makers.append($0) }
        }
        return isClosed ? 0 : capacity - batches.count
    }

    func put(_ batch: LoadedBatch) {
        if takers.isEmpty {
            batches.append(batch)
        } else {
            takers.removeFirst().resume(returning: batch)
        }
    }

    /// The next batch; nil when there will be no more.
    func next() async -> LoadedBatch? {
        if !batches.isEmpty {
            let batch: LoadedBatch = batches.removeFirst()
            if !makers.isEmpty { makers.removeFirst().resume() }
            return batch
        }
        if isClosed { return nil }
        return await withCheckedContinuation { takers.append($0) }
    }

    /// What was put in is still given out.
    func close() {
        isClosed = true
        for taker in takers { taker.resume(returning: nil) }
        for maker in makers { maker.resume() }
        takers = []
        makers = []
    }
}

/// What the lanes found out, on its way to the database. Keeps it for as long as the database is away.
actor SettlementQueue {
    private let capacity: Int
    private var waiting: [LaneResult] = []
    private var underway = 0
    private var writer: CheckedContinuation<[LaneResult]?, Never>?
    private var lanes: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false

    /// - Parameter capacity: how many results may wait; a lane with one more waits itself.
    init(capacity: Int) {
        self.capacity = capacity
    }

    func submit(_ result: LaneResult) async {
        while waiting.count + underway >= capacity, !isClosed {
            await withCheckedContinuation { lanes.append($0) }
        }
        waiting.append(result)
        wakeWriter()
    }

    /// Everything that waits, as soon as something does; nil at the end.
    func next() async -> [LaneResult]? {
        underway = 0
        for lane in lanes { lane.resume() }
        lanes = []
        if waiting.isEmpty {
            if isClosed { return nil }
            return await withCheckedContinuation { writer = $0 }
        }
        return takeAll()
    }

    /// The batches whose results are not in the database yet.
    var unwritten: Int { waiting.count + underway }

    func close() {
        isClosed = true
        if waiting.isEmpty {
            writer?.resume(returning: nil)
            writer = nil
        }
        for lane in lanes { lane.resume() }
        lanes = []
    }

    private func wakeWriter() {
        guard let writer else { return }
        self.writer = nil
        writer.resume(returning: takeAll())
    }

    private func takeAll() -> [LaneResult] {
        defer { waiting = [] }
        underway = waiting.count
        return waiting
    }
}

/// What became of some messages of a batch.
struct LaneResult: Sendable {
    let batch: ClaimedBatch
    /// The batch's tag in the journal.
    let tag: UInt32
    let messages: [HandedMessage]
    /// Whether more results of the batch will come.
    let isPartial: Bool

    /// A part of the result, or the same messages with other outcomes.
    func with(_ messages: [HandedMessage], isPartial: Bool) -> LaneResult {
        LaneResult(batch: batch, tag: tag, messages: messages, isPartial: isPartial)
    }
}

/// A message and what became of it: as much as the ledger is told.
struct HandedMessage: Sendable {
    let id: MessageID
    let contact: ContactID
    /// Attempts before this one.
    let attempt: Int
    /// The address it was meant for, where the ledger has another one.
    let newEmail: String?
    var outcome: HandoverOutcome

    init(_ message: LoadedMessage, _ outcome: HandoverOutcome) {
        id = message.id
        contact = message.contact
        attempt = message.attempt
        let current: String? = message.person?.email
        newEmail = current == message.ledgerEmail ? nil : current
        self.outcome = outcome
    }
}
