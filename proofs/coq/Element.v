(** One re-upload of a Q-RUN element. The state RY(a)|0> has the amplitudes cos(a/2), sin(a/2), so
    RY(2 s phi)|0> = (cos(s phi), sin(s phi)); on RY(s phi)|0> the expectation values of Z, X and Y
    are cos(s phi), sin(s phi) and 0, for all real s and phi. Rotations exp(- i a P / 2), P^2 = 1,
    are a one-parameter group of unitaries with generator - i P / 2, as the exponential says. *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix.
Local Open Scope C_scope.

(** * The rotation is the exponential of its generator *)

Lemma rotation_zero (P : mat) (i j : nat) : rotation P 0 i j = mid i j.
Proof.
  unfold rotation, mplus, mscal; replace (0 / 2)%R with 0%R by field.
  rewrite cos_0, sin_0; ring.
Qed.

Lemma rotation_product (d : nat) (P : mat) (a b : R) : involution d P ->
  meq d (mmul d (rotation P a) (rotation P b)) (rotation P (a + b)).
Proof.
  intros HP i j Hi Hj.
  assert (H1 := mmul_mid_l d mid i j Hi Hj); assert (H2 := mmul_mid_l d P i j Hi Hj).
  assert (H3 := mmul_mid_r d P i j Hi Hj); assert (H4 := HP i j Hi Hj).
  unfold mmul in *; unfold rotation, mplus, mscal.
  replace ((a + b) / 2)%R with (a / 2 + b / 2)%R by field; rewrite cos_plus, sin_plus.
  rewrite RtoC_minus, RtoC_plus, !RtoC_mult.
  set (ca := RtoC (cos (a / 2))); set (sa := RtoC (sin (a / 2))).
  set (cb := RtoC (cos (b / 2))); set (sb := RtoC (sin (b / 2))).
  rewrite (Csum_ext d _ (fun k => (ca * cb) * (mid i k * mid k j)
    + (- (Ci * ca * sb) * (mid i k * P k j) + (- (Ci * sa * cb) * (P i k * mid k j)
    + (Ci * Ci) * sa * sb * (P i k * P k j))))) by (intros; ring).
  rewrite !Csum_plus, !Csum_scal, H1, H2, H3, H4, i_square; ring.
Qed.

Lemma rotation_adj (d : nat) (P : mat) (a : R) : hermitian d P ->
  meq d (adj (rotation P a)) (rotation P (- a)).
Proof.
  intros HP i j Hi Hj; unfold adj, rotation, mplus, mscal; push_conj.
  replace (- a / 2)%R with (- (a / 2))%R by field; rewrite cos_neg, sin_neg, RtoC_opp.
  assert (H1 := HP i j Hi Hj); assert (H2 := adj_mid i j); unfold adj in H1, H2.
  rewrite H1, H2; ring.
Qed.

Lemma rotation_unitary (d : nat) (P : mat) (a : R) : hermitian d P -> involution d P ->
  unitary d (rotation P a).
Proof.
  intros HP HI; assert (HA := rotation_adj d P a HP).
  split; intros i j Hi Hj.
  - rewrite (mmul_ext d _ _ _ _ HA (meq_refl d _) i j Hi Hj), rotation_product by assumption.
    rewrite Rplus_opp_l; apply rotation_zero.
  - rewrite (mmul_ext d _ _ _ _ (meq_refl d _) HA i j Hi Hj), rotation_product by assumption.
    rewrite Rplus_opp_r; apply rotation_zero.
Qed.

(** d/da R_P(a) = - (i/2) P R_P(a), entry by entry, in real and imaginary part. With R_P(0) = 1 this
    is the differential equation of the exponential exp(- i a P / 2). *)
Theorem rotation_derivative (d : nat) (P : mat) (a : R) : involution d P ->
  forall i j, (i < d)%nat -> (j < d)%nat ->
  is_derive (fun t => Re (rotation P t i j)) a
    (Re (- (Ci * RtoC (1 / 2)) * mmul d P (rotation P a) i j))
  /\ is_derive (fun t => Im (rotation P t i j)) a
    (Im (- (Ci * RtoC (1 / 2)) * mmul d P (rotation P a) i j)).
Proof.
  intros HP i j Hi Hj.
  assert (H3 := mmul_mid_r d P i j Hi Hj); assert (H4 := HP i j Hi Hj).
  replace (mmul d P (rotation P a) i j)
    with (RtoC (cos (a / 2)) * P i j + - (Ci * RtoC (sin (a / 2))) * mid i j).
  2: { rewrite <- H3, <- H4; unfold mmul, rotation, mplus, mscal.
       rewrite <- !Csum_scal, <- Csum_plus; apply Csum_ext; intros; ring. }
  unfold rotation, mplus, mscal; destruct (P i j) as [p q]; destruct (mid i j) as [u v].
  unfold Re, Im, RtoC, Ci, Cmult, Cplus, Copp; simpl.
  split; auto_derive; try exact I; change (a * / 2)%R with (a / 2)%R; field.
Qed.

(** The rotations about X, Y and Z as matrices. *)
Lemma rotation_y_matrix (a : R) : meq 2 (rotation pauli_y a)
  (mat2 (RtoC (cos (a / 2))) (- RtoC (sin (a / 2))) (RtoC (sin (a / 2))) (RtoC (cos (a / 2)))).
Proof.
  assert (Hi := i_square).
  meq2; unfold rotation, mplus, mscal, pauli_y, mat2, mid; simpl; ring [Hi].
Qed.

Lemma rotation_x_matrix (a : R) : meq 2 (rotation pauli_x a)
  (mat2 (RtoC (cos (a / 2))) (- Ci * RtoC (sin (a / 2)))
        (- Ci * RtoC (sin (a / 2))) (RtoC (cos (a / 2)))).
Proof. meq2; unfold rotation, mplus, mscal, pauli_x, mat2, mid; simpl; ring. Qed.

Lemma rotation_z_matrix (a : R) : meq 2 (rotation pauli_z a)
  (mat2 (cis (- (a / 2))) 0 0 (cis (a / 2))).
Proof.
  meq2; unfold rotation, mplus, mscal, pauli_z, mat2, mid; simpl; try ring;
    unfold cis, Ci, RtoC, Cplus, Cmult, Copp; simpl; rewrite ?cos_neg, ?sin_neg; f_equal; ring.
Qed.

(** * The element *)

(** RY(a)|0> = (cos(a/2), sin(a/2)). *)
Lemma rotation_y_ket0 (a : R) :
  veq 2 (apply 2 (rotation pauli_y a) ket0)
    (vec2 (RtoC (cos (a / 2))) (RtoC (sin (a / 2)))).
Proof.
  intros i Hi; rewrite (apply_ext 2 _ _ _ _ (rotation_y_matrix a) (veq_refl 2 ket0) i Hi).
  destruct i as [|[|i]]; [| |lia]; unfold apply, ket0, mat2, vec2; simpl; ring.
Qed.

(** RY(2 s phi)|0> = (cos(s phi), sin(s phi)), for all real s and phi. *)
Theorem element_amplitudes (s phi : R) :
  veq 2 (apply 2 (rotation pauli_y (2 * (s * phi))) ket0)
    (vec2 (RtoC (cos (s * phi))) (RtoC (sin (s * phi)))).
Proof.
  intros i Hi; rewrite rotation_y_ket0 by assumption.
  replace (2 * (s * phi) / 2)%R with (s * phi)%R by field; reflexivity.
Qed.

(** On RY(s phi)|0>: <Z> = cos(s phi), <X> = sin(s phi), <Y> = 0, for all real s and phi. *)
Theorem element_expectations (s phi : R) :
  let v := apply 2 (rotation pauli_y (s * phi)) ket0 in
  expect 2 pauli_z v = RtoC (cos (s * phi))
  /\ expect 2 pauli_x v = RtoC (sin (s * phi))
  /\ expect 2 pauli_y v = RtoC 0.
Proof.
  intros v; unfold v; clear v.
  set (c := cos (s * phi / 2)); set (r := sin (s * phi / 2)).
  assert (H : forall O, expect 2 O (apply 2 (rotation pauli_y (s * phi)) ket0)
                        = expect 2 O (vec2 (RtoC c) (RtoC r))).
  { intros O; apply expect_ext; [apply meq_refl|apply rotation_y_ket0]. }
  rewrite !H.
  replace (s * phi)%R with (s * phi / 2 + s * phi / 2)%R at 1 2 by field.
  rewrite cos_plus, sin_plus; fold c r.
  rewrite RtoC_minus, RtoC_plus, !RtoC_mult.
  unfold expect, inner, apply, vec2, pauli_z, pauli_x, pauli_y, mat2; simpl.
  rewrite !Cconj_R; repeat split; ring.
Qed.

(** An instance with numbers: RY(pi/2)|0> has <X> = 1 and <Z> = 0 (not -1: no angle is doubled). *)
Example element_instance :
  let v := apply 2 (rotation pauli_y (PI / 2)) ket0 in
  expect 2 pauli_z v = RtoC 0 /\ expect 2 pauli_x v = RtoC 1.
Proof.
  intros v; unfold v; clear v.
  destruct (element_expectations (1 / 2) PI) as [Hz [Hx _]].
  replace (1 / 2 * PI)%R with (PI / 2)%R in * by field.
  rewrite Hz, Hx, cos_PI2, sin_PI2; split; reflexivity.
Qed.
