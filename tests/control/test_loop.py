"""The control loop: what comes in, what is published, and what is said."""

from tests.control.loops import EU_ANSWER, US_ANSWER, World0, result


def test_three_failures_move_the_answers() -> None:
    """Two failures change nothing; the third is published at once, with its events and metrics."""
    world = World0().start()
    for _ in range(2):
        world.controller.post(result("eu", ok=False))
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert len(world.shown) == 1
    world.controller.post(result("eu", ok=False))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.events("endpoint.down")[0]["reason"] == "connection refused"
    assert world.events("region.down")[0]["region"] == "eu"
    assert world.events("answers.changed")[-1]["now"] == ["us"]
    assert world.metric('georouter_region_healthy{region="eu"}') == 0
    assert world.metric('georouter_failover_active{service="web"}') == 1


def test_a_burst_is_one_snapshot() -> None:
    """Everything that waits is taken in before anything is published."""
    world = World0().start()
    for _ in range(3):
        world.controller.post(result("eu", ok=False))
        world.controller.post(result("us", ok=False))
    world.controller.publish_now()
    assert len(world.shown) == 2
    assert world.shown[-1].generation == world.shown[0].generation + 1


def test_good_news_about_nothing_publishes_nothing() -> None:
    """Steady health keeps the snapshot; that is what makes it cheap."""
    world = World0().start()
    for _ in range(50):
        world.controller.post(result("eu", ok=True))
        world.controller.publish_now()
    assert len(world.shown) == 1
