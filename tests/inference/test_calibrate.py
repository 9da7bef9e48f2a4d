import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from dnahlm.inference import calibrate
from dnahlm.inference.calibrate import Calibration, calibrated, fit_calibration
from dnahlm.io import InputError

LEAN = np.array([1.5, -0.5, -1.0])


def drawn(n, seed=0, sharpness=5.0, lean=LEAN):
    """Scores of a model that is too sure and leans towards some words; labels from the undistorted odds."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n, 3)) * 1.5
    labels = np.array([rng.choice(3, p=p) for p in softmax(true, axis=1)])
    return (true + lean) * sharpness - 40, labels


def log_loss(calibration, scores, labels):
    return -np.log(calibration.probabilities(scores)[np.arange(len(labels)), labels]).mean()


def test_the_fit_undoes_a_known_overconfidence_and_lean():
    fitted = fit_calibration(*drawn(4000))
    assert fitted.temperature == pytest.approx(5, rel=0.1)
    assert np.allclose(fitted.bias, -LEAN, atol=0.15) and sum(fitted.bias) == pytest.approx(0, abs=1e-3)


def test_the_fit_is_the_minimum_of_its_own_loss():
    scores, labels = drawn(60)

    def penalised(c):
        priors = (np.log(c.temperature) ** 2 + (np.array(c.bias) ** 2).sum()) / 0.7**2 / 2
        return log_loss(c, scores, labels) * len(labels) + priors

    fitted = fit_calibration(scores, labels)
    rng = np.random.default_rng(1)
    for _ in range(50):
        step = rng.normal(size=4) * 0.02
        other = Calibration(fitted.temperature * np.exp(step[0]), tuple(np.array(fitted.bias) + step[1:]))
        assert penalised(other) >= penalised(fitted) - 1e-3


def test_twenty_validation_rows_improve_unseen_rows_of_an_overconfident_model():
    test_scores, test_labels = drawn(3000, seed=99)
    before = log_loss(Calibration(), test_scores, test_labels)
    assert all(log_loss(fit_calibration(*drawn(20, seed)), test_scores, test_labels) < before for seed in range(20))


def test_twenty_validation_rows_harm_a_calibrated_model_less_than_an_unpenalised_fit(monkeypatch):
    good = {"sharpness": 1.0, "lean": 0 * LEAN}
    scores, labels = drawn(3000, 99, **good)

    def cost():
        fits = [fit_calibration(*drawn(20, seed, **good)) for seed in range(20)]
        return np.mean([log_loss(fit, scores, labels) for fit in fits]) - log_loss(Calibration(), scores, labels)

    penalised = cost()
    monkeypatch.setattr(calibrate, "SPREAD_BIAS", 1e6)
    monkeypatch.setattr(calibrate, "SPREAD_LOG_TEMPERATURE", 1e6)
    assert 0 < penalised < 0.5 * cost()


def test_a_model_without_a_lean_gets_no_bias_but_by_chance_and_one_with_a_lean_does():
    fits = [fit_calibration(*drawn(400, seed, lean=0 * LEAN)) for seed in range(40)]
    assert sum(bool(fit.bias) for fit in fits) <= 6  # 5 % are expected
    assert all(fit.temperature == pytest.approx(5, rel=0.3) for fit in fits)
    assert all(fit_calibration(*drawn(400, seed)).bias for seed in range(10))


def test_perfect_and_useless_scores_stay_finite_and_in_bounds():
    scores = np.eye(3)[[0, 1, 2] * 200] * 30
    sure = fit_calibration(scores, [0, 1, 2] * 200)
    assert 0.05 <= sure.temperature < 20 and np.isfinite(sure.bias).all()
    assert fit_calibration(scores, [1, 2, 0] * 200).temperature == pytest.approx(20, rel=0.01)


def test_a_class_never_seen_in_validation_keeps_a_finite_bias():
    fitted = fit_calibration(np.zeros((50, 3)), [0] * 25 + [1] * 25)
    assert np.isfinite(fitted.bias).all() and fitted.bias[2] < fitted.bias[0]


def test_rows_sum_to_one_and_without_bias_the_order_stays():
    scores = np.array([[-1000.0, -1001.0, -1005.0], [-3.0, -2.0, -1.0]])
    for temperature in (0.1, 1.0, 10.0):
        p = Calibration(temperature).probabilities(scores)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert (p.argmax(axis=1) == [0, 2]).all()
    np.testing.assert_allclose(np.log(Calibration().probabilities(scores)), log_softmax(scores, axis=1))


def test_a_calibration_of_another_number_of_answers_is_refused():
    with pytest.raises(InputError, match="2 answers was asked to scale 3"):
        Calibration(1.0, (0.5, -0.5)).probabilities(np.zeros((1, 3)))


def test_options_in_another_order_get_their_own_bias_and_a_task_without_calibration_none(loaded):
    spec, scores = loaded.tasks["core_promoter"], np.array([[-1.0, -2.0]])
    given = calibrated(loaded, spec, scores)
    swapped = calibrated(loaded, spec, scores[:, ::-1], ["promoter", "non-promoter"])
    np.testing.assert_allclose(given, swapped[:, ::-1])
    np.testing.assert_allclose(given, softmax(scores / 2 + [0.3, -0.3], axis=1))
    np.testing.assert_allclose(calibrated(loaded, loaded.tasks["splice_site"], scores), softmax(scores, axis=1))


def test_a_fit_says_on_how_many_rows_its_bias_changes_the_answer():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 300)
    scores = np.stack([rng.normal(size=300), rng.normal(size=300) + truth * 2 + 1.5], axis=1)  # leans to the second
    fitted = fit_calibration(scores, truth)
    plain, corrected = scores.argmax(axis=1), fitted.probabilities(scores).argmax(axis=1)
    assert fitted.rows == 300
    assert fitted.changed_by_bias == (plain != corrected).sum() > 20
    assert (corrected == truth).mean() > (plain == truth).mean()
    assert fitted.for_options(["a", "b"], ["b", "a"]).changed_by_bias == fitted.changed_by_bias
    assert fitted.for_options(["a", "b"], ["c", "d"]).changed_by_bias == 0
