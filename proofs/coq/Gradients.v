(** Gradients. The parameter-shift rule: the derivative of an expectation value in the angle of one
    gate is half of the difference of its values with that angle shifted by pi/2 and -pi/2; where a
    variable enters several gates, the sum over the gates, each shifted by itself and weighted with
    the derivative of its angle. The derivative of a Fourier series multiplies each coefficient by
    i times its frequency. *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix Element FourierForm Multilinear.
Import ListNotations.
Local Open Scope R_scope.

(** * The parameter-shift rule *)

(** The rule for f(a) = A + B cos a + C sin a. *)
Theorem parameter_shift (A B D a : R) :
  let f := fun t : R => A + B * cos t + D * sin t in
  is_derive f a ((f (a + PI / 2) - f (a - PI / 2)) / 2).
Proof.
  intros f; unfold f; auto_derive; [exact I|].
  unfold Rminus; rewrite !cos_plus, !sin_plus, cos_neg, sin_neg, cos_PI2, sin_PI2; field.
Qed.

(** Every gate's angle, every circuit: d/da f = (f(a + pi/2) - f(a - pi/2)) / 2. *)
Theorem parameter_shift_gate (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L g : nat)
  (alpha : nat -> R) (a : R) : hermitian d O -> (g < L)%nat ->
  let f := fun t : R => Re (output d W P psi O L (update alpha g t)) in
  is_derive f a ((f (a + PI / 2) - f (a - PI / 2)) / 2).
Proof.
  intros HO Hg f.
  destruct (affine_in_each_gate d W P psi O L g alpha HO Hg) as [A [B [D H]]].
  assert (Hf : forall t, f t = A + B * cos t + D * sin t) by (intros t; unfold f; rewrite H; auto).
  apply is_derive_ext with (f := fun t => A + B * cos t + D * sin t); [intros; auto|].
  rewrite !Hf; apply (parameter_shift A B D a).
Qed.

(** * A variable that enters several gates *)

Lemma value_shift (t : feature) (a : R) :
  is_derive (value t) a ((value t (a + PI / 2) - value t (a - PI / 2)) / 2).
Proof.
  destruct t.
  - apply is_derive_ext with (fun a => 1 + 0 * cos a + 0 * sin a); [intros; simpl; ring|].
    evar_last; [apply parameter_shift|simpl; field].
  - apply is_derive_ext with (fun a => 0 + 1 * cos a + 0 * sin a); [intros; simpl; ring|].
    evar_last; [apply parameter_shift|simpl; field].
  - apply is_derive_ext with (fun a => 0 + 0 * cos a + 1 * sin a); [intros; simpl; ring|].
    evar_last; [apply parameter_shift|simpl; field].
Qed.

(** The product rule for L factors. *)
Lemma is_derive_rprod (L : nat) (F : nat -> R -> R) (F' : nat -> R) (x : R) :
  (forall g, (g < L)%nat -> is_derive (F g) x (F' g)) ->
  is_derive (fun y => Rprod L (fun g => F g y)) x
    (Rsum L (fun g => F' g * Rprod L (fun h => if Nat.eqb h g then 1 else F h x))).
Proof.
  induction L as [|L IH]; intros H.
  - simpl; apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule)).
  - cbn [Rprod Rsum].
    evar_last.
    + apply (is_derive_mult (fun y => Rprod L (fun g => F g y)) (F L)).
      * apply IH; intros; apply H; lia.
      * apply H; lia.
      * intros; apply Rmult_comm.
    + unfold plus, mult; simpl; rewrite Nat.eqb_refl.
      rewrite (Rprod_ext L (fun h => if Nat.eqb h L then 1 else F h x) (fun h => F h x)).
      2: { intros h Hh; destruct (Nat.eqb_spec h L); [lia|reflexivity]. }
      rewrite <- Rsum_scal_r; f_equal; [|ring].
      apply Rsum_ext; intros g Hg; destruct (Nat.eqb_spec L g); [lia|ring].
Qed.

(** The shift rule for a multilinear form whose angles are functions of x. *)
Lemma multilinear_shift (L : nat) (T : (nat -> feature) -> R) (l : list (nat -> feature))
  (alpha : nat -> R -> R) (alpha' : nat -> R) (x : R) :
  (forall g, (g < L)%nat -> is_derive (alpha g) x (alpha' g)) ->
  let m := fun beta : nat -> R =>
    Rlsum (fun t => T t * Rprod L (fun g => value (t g) (beta g))) l in
  is_derive (fun y => m (fun g => alpha g y)) x
    (Rsum L (fun g => alpha' g *
      ((m (update (fun h => alpha h x) g (alpha g x + PI / 2))
        - m (update (fun h => alpha h x) g (alpha g x - PI / 2))) / 2))).
Proof.
  intros H m; unfold m; clear m; induction l as [|t l IH]; cbn [Rlsum].
  - rewrite (Rsum_ext L _ (fun _ => 0)); [|intros; field].
    rewrite Rsum_0; apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule)).
  - evar_last.
    + apply (is_derive_plus (K := R_AbsRing) (V := R_NormedModule)); [|exact IH].
      apply (is_derive_scal (fun y => Rprod L (fun g => value (t g) (alpha g y)))).
      apply is_derive_rprod; intros g Hg.
      apply (is_derive_comp (K := R_AbsRing) (V := R_NormedModule) (value (t g)) (alpha g));
        [apply value_shift|apply H; assumption].
    + unfold plus, scal; simpl; unfold mult; simpl.
      rewrite <- Rsum_scal, <- Rsum_plus; apply Rsum_ext; intros g Hg.
      assert (HP : forall b, Rprod L (fun h => value (t h) (update (fun h => alpha h x) g b h))
        = Rprod L (fun h => if Nat.eqb h g then 1 else value (t h) (alpha h x)) * value (t g) b).
      { intros b; rewrite (rprod_single L g) by assumption; rewrite update_same; f_equal.
        apply Rprod_ext; intros h Hh; unfold update; destruct (Nat.eqb h g); reflexivity. }
      rewrite !HP; field.
Qed.

(** A variable x on which the angles depend as alpha_g(x), for instance s_g x + b_g: the derivative
    is the sum over the gates of alpha_g' times the shift rule of that gate alone. *)
Theorem parameter_shift_shared (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R -> R) (alpha' : nat -> R) (x : R) : hermitian d O ->
  (forall g, (g < L)%nat -> is_derive (alpha g) x (alpha' g)) ->
  let f := fun beta : nat -> R => Re (output d W P psi O L beta) in
  is_derive (fun y => f (fun g => alpha g y)) x
    (Rsum L (fun g => alpha' g *
      ((f (update (fun h => alpha h x) g (alpha g x + PI / 2))
        - f (update (fun h => alpha h x) g (alpha g x - PI / 2))) / 2))).
Proof.
  intros HO H f; destruct (multilinear_expectation_real d W P psi O L HO) as [T HT].
  set (m := fun beta : nat -> R =>
    Rlsum (fun t => T t * Rprod L (fun g => value (t g) (beta g))) (words features One L)).
  assert (Hf : forall beta, f beta = m beta) by (intros; unfold f; rewrite HT; reflexivity).
  apply is_derive_ext with (fun y => m (fun g => alpha g y)); [intros; symmetry; apply Hf|].
  rewrite (Rsum_ext L _ (fun g => alpha' g *
    ((m (update (fun h => alpha h x) g (alpha g x + PI / 2))
      - m (update (fun h => alpha h x) g (alpha g x - PI / 2))) / 2))).
  - apply (multilinear_shift L T (words features One L)); assumption.
  - intros; rewrite !Hf; reflexivity.
Qed.

(** Angles s_g x + b_g: weights s_g. *)
Corollary parameter_shift_scales (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (s b : nat -> R) (x : R) : hermitian d O ->
  let f := fun beta : nat -> R => Re (output d W P psi O L beta) in
  let angle := fun g : nat => s g * x + b g in
  is_derive (fun y => f (fun g => s g * y + b g)) x
    (Rsum L (fun g => s g *
      ((f (update angle g (angle g + PI / 2)) - f (update angle g (angle g - PI / 2))) / 2))).
Proof.
  intros HO; apply (parameter_shift_shared d W P psi O L (fun g y => s g * y + b g) s x HO).
  intros g Hg; auto_derive; [exact I|ring].
Qed.

(** * The derivative of a Fourier series *)

(** The derivative of a complex function of a real variable: of its real and imaginary part. *)
Definition is_derive_complex (f : R -> C) (x : R) (l : C) : Prop :=
  is_derive (fun t => Re (f t)) x (Re l) /\ is_derive (fun t => Im (f t)) x (Im l).

Lemma derive_complex_ext (f g : R -> C) (x : R) (l l' : C) :
  (forall t, f t = g t) -> l = l' -> is_derive_complex f x l -> is_derive_complex g x l'.
Proof.
  intros H <- [Hr Hi]; split;
    [apply is_derive_ext with (2 := Hr)|apply is_derive_ext with (2 := Hi)];
    intros t; rewrite H; reflexivity.
Qed.

Lemma derive_complex_plus (f g : R -> C) (x : R) (l m : C) :
  is_derive_complex f x l -> is_derive_complex g x m ->
  is_derive_complex (fun t => f t + g t)%C x (l + m)%C.
Proof.
  intros [Hr Hi] [Hr' Hi']; split;
    apply (is_derive_plus (K := R_AbsRing) (V := R_NormedModule)); assumption.
Qed.

Lemma derive_complex_zero (x : R) : is_derive_complex (fun _ => RtoC 0) x (RtoC 0).
Proof. split; apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule)). Qed.

(** (c e^(i w x))' = i w c e^(i w x). *)
Lemma derive_cis (c : C) (w x : R) :
  is_derive_complex (fun t => c * cis (w * t))%C x (Ci * RtoC w * c * cis (w * x))%C.
Proof.
  destruct c as [p q]; unfold is_derive_complex, cis, Ci, RtoC, Cmult, Re, Im; simpl.
  split; auto_derive; try exact I; ring.
Qed.

(** A finite series with any real frequencies w_n: c_n becomes i w_n c_n. *)
Theorem fourier_derivative {A : Type} (c : A -> C) (w : A -> R) (l : list A) (x : R) :
  is_derive_complex (fun t => Clsum (fun n => c n * cis (w n * t))%C l) x
    (Clsum (fun n => Ci * RtoC (w n) * c n * cis (w n * x))%C l).
Proof.
  induction l as [|n l IH]; cbn [Clsum]; [apply derive_complex_zero|].
  apply derive_complex_plus; [apply derive_cis|exact IH].
Qed.

(** A trigonometric polynomial of degree K: c_k becomes i k c_k, the degree stays. *)
Theorem trig_poly_derivative (K : nat) (c : Z -> C) (x : R) :
  is_derive_complex (trig_poly K c) x (trig_poly K (fun k => Ci * RtoC (IZR k) * c k)%C x).
Proof.
  unfold trig_poly; induction (2 * K + 1)%nat as [|n IH]; cbn [Csum]; [apply derive_complex_zero|].
  apply derive_complex_plus; [exact IH|apply derive_cis].
Qed.

(** The output of a circuit with angles s_g x + b_g: one and the same coefficients c_n give the
    series of the output and, times i n.s, that of its derivative. *)
Theorem output_derivative (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (s b : nat -> R) :
  exists c : (nat -> Z) -> C, forall x : R,
    let w := fun n : nat -> Z => Rsum L (fun g => IZR (n g) * s g) in
    output d W P psi O L (fun g => s g * x + b g) =
      Clsum (fun n => c n * cis (w n * x))%C (words signs 0%Z L)
    /\ is_derive_complex (fun t => output d W P psi O L (fun g => s g * t + b g)) x
         (Clsum (fun n => Ci * RtoC (w n) * c n * cis (w n * x))%C (words signs 0%Z L)).
Proof.
  destruct (fourier_form_scales d W P psi O L s b) as [c [Hc _]]; exists c; intros x w.
  split; [apply Hc|].
  eapply derive_complex_ext; [intros t; symmetry; apply Hc|reflexivity|].
  apply (fourier_derivative c w).
Qed.

(** * Instances with numbers *)

(** <Z> on RY(a)|0> is cos a: its derivative at pi/2 is -1. *)
Example parameter_shift_instance :
  is_derive (fun t => Re (output 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1
                            (update (fun _ => 0) 0 t))) (PI / 2) (- (1)).
Proof.
  assert (H : forall t, output 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1
                          (update (fun _ => 0) 0 t) = RtoC (cos t)).
  { intros t; rewrite multilinear_expectation; unfold features, words.
    cbn [flat_map map app Clsum Rprod update Nat.eqb value].
    assert (HT : forall f, tensor 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1
      (update (fun _ => One) 0 f) = match f with Cos => RtoC 1 | _ => RtoC 0 end).
    { intros f; rewrite <- tensor_instance; apply coefficient_ext; intros g Hg.
      replace g with O by lia; reflexivity. }
    rewrite !HT, !Rmult_1_l; ring. }
  evar_last.
  - apply parameter_shift_gate; [apply (pauli_hermitian 3)|lia].
  - cbv beta zeta; rewrite !H; unfold Re; cbn [fst RtoC].
    replace (PI / 2 + PI / 2) with PI by field; replace (PI / 2 - PI / 2) with 0 by ring.
    rewrite cos_PI, cos_0; field.
Qed.

(** A shift by pi/2 is needed: for f = sin, (f(0 + pi) - f(0 - pi)) / 2 = 0, but f'(0) = 1. *)
Example wrong_shift : is_derive sin 0 1 /\ (sin (0 + PI) - sin (0 - PI)) / 2 = 0.
Proof.
  split; [auto_derive; [exact I|rewrite cos_0; ring]|].
  rewrite Rplus_0_l, Rminus_0_l, sin_neg, sin_PI; field.
Qed.
