/// Lets a few tests use databases at a time: hundreds at once would only wait for each other, and run into the time
/// limits that the portal itself keeps.
actor TestGate {
    static let shared = TestGate(width: 10)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) {
        free = width
    }

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
