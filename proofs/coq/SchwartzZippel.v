(** * Schwartz and Zippel: a polynomial that is not zero has few zeros

    Over any commutative ring without zero divisors: a polynomial of total degree at most [d] in [n]
    variables, not all of whose coefficients vanish, has at most [d |S|^(n-1)] zeros among the
    [|S|^n] points with coordinates in a finite set [S]; so a uniformly random point is a zero with
    probability at most [d / |S|]. For [n = 1] this is the bound on the number of roots.
    The last section applies it to the integers modulo a prime. *)

From Coq Require Import Arith List Lia Lra ZArith Znumtheory Ring Eqdep_dec Bool Reals.
Import ListNotations.
Local Open Scope nat_scope.

(** ** Polynomials over an integral domain *)

Section Domain.

Variable A : Type.
Variables zero one : A.
Variables add mul sub : A -> A -> A.
Variable opp : A -> A.
Variable A_ring : ring_theory zero one add mul sub opp eq.
Variable A_domain : forall x y, mul x y = zero -> x = zero \/ y = zero.
Variable A_dec : forall x y : A, {x = y} + {x <> y}.

Add Ring A_ring_ : A_ring.

(** [horner [a_0; ...; a_m] x] is [a_0 + a_1 x + ... + a_m x^m]. *)
Fixpoint horner (p : list A) (x : A) : A :=
  match p with
  | [] => zero
  | a :: q => add a (mul x (horner q x))
  end.

(** A polynomial in [n + 1] variables is the list of its coefficients with respect to the first
    variable, and these are polynomials in the other [n]. One in no variable is a constant. *)
Fixpoint poly (n : nat) : Type :=
  match n with
  | 0 => A
  | S m => list (poly m)
  end.

(** The value at a point, the list of [n] coordinates. *)
Fixpoint eval (n : nat) : poly n -> list A -> A :=
  match n with
  | 0 => fun a _ => a
  | S m => fun p v =>
      match v with
      | [] => zero
      | x :: w => horner (map (fun q => eval m q w) p) x
      end
  end.

(** All coefficients are zero. *)
Fixpoint is_zero (n : nat) : poly n -> Prop :=
  match n with
  | 0 => fun a => a = zero
  | S m => fun p => Forall (is_zero m) p
  end.

(** Every monomial whose coefficient is not zero has a total degree of at most [d]. *)
Fixpoint degree_le (n : nat) : nat -> poly n -> Prop :=
  match n with
  | 0 => fun _ _ => True
  | S m => fun d p => forall k q, nth_error p k = Some q ->
      is_zero m q \/ (k <= d /\ degree_le m (d - k) q)
  end.

(** All points with [n] coordinates from the list [S]. *)
Fixpoint grid (S : list A) (n : nat) : list (list A) :=
  match n with
  | 0 => [[]]
  | Datatypes.S m => flat_map (fun w => map (fun x => x :: w) S) (grid S m)
  end.

(** The zeros among them. *)
Definition zeros (n : nat) (p : poly n) (S : list A) : list (list A) :=
  filter (fun v => if A_dec (eval n p v) zero then true else false) (grid S n).

(** *** One variable *)

(** Division by [x - w]: [p(x) - p(w) = (x - w) q(x)]. *)
Fixpoint quotient (q : list A) (w : A) : list A :=
  match q with
  | [] => []
  | _ :: r => horner q w :: quotient r w
  end.

Lemma quotient_length q w : length (quotient q w) = length q.
Proof. induction q as [ | b q IH]; simpl; congruence. Qed.

Lemma horner_quotient q a w x :
  sub (horner (a :: q) x) (horner (a :: q) w) = mul (sub x w) (horner (quotient q w) x).
Proof.
  revert a. induction q as [ | b q IH]; intros a; simpl.
  - ring.
  - specialize (IH b). simpl in IH.
    replace (sub (add a (mul x (add b (mul x (horner q x)))))
                 (add a (mul w (add b (mul w (horner q w))))))
      with (add (mul (sub x w) (add b (mul w (horner q w))))
                (mul x (sub (add b (mul x (horner q x))) (add b (mul w (horner q w))))))
      by ring.
    rewrite IH. ring.
Qed.

Lemma quotient_zero q w : Forall (eq zero) (quotient q w) -> Forall (eq zero) q.
Proof.
  induction q as [ | b q IH]; simpl; intros H; [constructor | ].
  inversion H as [ | h t Hh Ht]; subst. specialize (IH Ht). constructor; [ | exact IH].
  assert (E : horner q w = zero).
  { clear - IH A_ring. induction q as [ | c q IH2]; simpl; [reflexivity | ].
    inversion IH; subst. rewrite IH2 by assumption. ring. }
  rewrite E in Hh. rewrite Hh. ring.
Qed.

Lemma horner_zero q x : Forall (eq zero) q -> horner q x = zero.
Proof.
  induction q as [ | c q IH]; simpl; intros H; [reflexivity | ].
  inversion H; subst. rewrite IH by assumption. ring.
Qed.

(** A polynomial of degree below [length p] with at least [length p] different roots is zero. *)
Theorem roots_bound (p roots : list A) :
  NoDup roots -> (forall x, In x roots -> horner p x = zero) -> length p <= length roots ->
  Forall (eq zero) p.
Proof.
  revert roots. remember (length p) as n eqn:En. revert p En.
  induction n as [ | n IH]; intros p En roots Hnd Hr Hlen.
  - destruct p; [constructor | discriminate].
  - destruct p as [ | a q]; [discriminate | ]. destruct roots as [ | w rs]; [simpl in Hlen; lia | ].
    inversion Hnd as [ | h t Hw Hrs]; subst h t. simpl in Hlen. injection En as En.
    assert (Ew : horner (a :: q) w = zero) by (apply Hr; now left).
    assert (Hq : Forall (eq zero) (quotient q w)).
    { apply (IH (quotient q w)) with rs; [now rewrite quotient_length | exact Hrs | | lia].
      intros x Hx. generalize (horner_quotient q a w x).
      rewrite Ew, (Hr x) by (now right). intros E.
      destruct (A_domain (sub x w) (horner (quotient q w) x)) as [Hxw | Hz]; [ | | exact Hz].
      - rewrite <- E. ring.
      - exfalso. apply Hw. replace w with x; [exact Hx | ].
        replace x with (add (sub x w) w) by ring. rewrite Hxw. ring. }
    apply quotient_zero in Hq. constructor; [ | exact Hq].
    simpl in Ew. rewrite (horner_zero q w Hq) in Ew. rewrite <- Ew. ring.
Qed.

(** *** Several variables *)

Lemma is_zero_dec n (p : poly n) : {is_zero n p} + {~ is_zero n p}.
Proof.
  revert p. induction n as [ | n IH]; intros p; simpl in *.
  - apply A_dec.
  - apply Forall_dec. exact IH.
Qed.

Lemma eval_is_zero n (p : poly n) v : is_zero n p -> eval n p v = zero.
Proof.
  revert p v. induction n as [ | n IH]; intros p v H; simpl in *; [exact H | ].
  destruct v as [ | x w]; [reflexivity | ].
  apply horner_zero. apply Forall_map. eapply Forall_impl; [ | exact H].
  intros q Hq. symmetry. now apply IH.
Qed.

(** The leading coefficient: what follows it is zero. *)
Lemma leading n (p : list (poly n)) : ~ Forall (is_zero n) p ->
  exists p1 q p2, p = p1 ++ q :: p2 /\ ~ is_zero n q /\ Forall (is_zero n) p2.
Proof.
  induction p as [ | a p IH]; intros H.
  - exfalso. apply H. constructor.
  - destruct (Forall_dec _ (is_zero_dec n) p) as [Hp | Hp].
    + exists [], a, p. split; [reflexivity | ]. split; [ | exact Hp].
      intros Ha. apply H. now constructor.
    + destruct (IH Hp) as (p1 & q & p2 & -> & Hq & H2). exists (a :: p1), q, p2. now split.
Qed.

Lemma grid_length S n : length (grid S n) = length S ^ n.
Proof.
  induction n as [ | n IH]; [reflexivity | ].
  simpl. rewrite <- IH. clear IH. induction (grid S n) as [ | w l IHl]; simpl; [lia | ].
  rewrite app_length, map_length, IHl. lia.
Qed.

Lemma horner_app_zero p1 p2 x : Forall (eq zero) p2 -> horner (p1 ++ p2) x = horner p1 x.
Proof.
  intros H. induction p1 as [ | a p1 IH]; simpl; [now apply horner_zero | now rewrite IH].
Qed.

(** Zeros on the line through a point [w] of the other coordinates. *)
Lemma zeros_on_line n (p1 : list (poly n)) q p2 S w :
  NoDup S -> Forall (is_zero n) p2 -> eval n q w <> zero ->
  length (filter (fun x => if A_dec (eval (Datatypes.S n) (p1 ++ q :: p2) (x :: w)) zero
                           then true else false) S) <= length p1.
Proof.
  intros HS H2 Hq. set (roots := filter _ S).
  destruct (le_lt_dec (length roots) (length p1)) as [Hle | Hlt]; [exact Hle | exfalso].
  set (e := fun r => eval n r w).
  assert (H : Forall (eq zero) (map e (p1 ++ [q]))).
  { apply roots_bound with roots.
    - unfold roots. now apply NoDup_filter.
    - intros x Hx. unfold roots in Hx. apply filter_In in Hx. destruct Hx as [_ Hx].
      destruct (A_dec _ zero) as [E | ]; [ | discriminate].
      change (horner (map e (p1 ++ q :: p2)) x = zero) in E.
      rewrite <- E. replace (p1 ++ q :: p2) with ((p1 ++ [q]) ++ p2) by now rewrite <- app_assoc.
      rewrite (map_app e (p1 ++ [q]) p2). symmetry. apply horner_app_zero.
      apply Forall_map. eapply Forall_impl; [ | exact H2].
      intros r Hr. symmetry. now apply eval_is_zero.
    - rewrite map_length, app_length. simpl. lia. }
  rewrite map_app in H. apply Forall_app in H. destruct H as [_ H]. inversion H as [ | h t Hh].
  apply Hq. symmetry. exact Hh.
Qed.

Lemma filter_map_length {B D : Type} (g : B -> D) (f : D -> bool) l :
  length (filter f (map g l)) = length (filter (fun x => f (g x)) l).
Proof. induction l as [ | b l IH]; simpl; [reflexivity | ]. destruct (f (g b)); simpl; lia. Qed.

Lemma filter_length_le {B : Type} (f : B -> bool) l : length (filter f l) <= length l.
Proof. induction l as [ | b l IH]; simpl; [lia | ]. destruct (f b); simpl; lia. Qed.

(** Schwartz and Zippel: [|S|] times the number of zeros is at most [d] times that of points. *)
Theorem schwartz_zippel (n d : nat) (p : poly n) (S : list A) :
  NoDup S -> degree_le n d p -> ~ is_zero n p ->
  length S * length (zeros n p S) <= d * length S ^ n.
Proof.
  revert d p. induction n as [ | n IH]; intros d p HS Hd Hp.
  - unfold zeros. simpl. simpl in Hp. destruct (A_dec p zero); [contradiction | simpl; lia].
  - destruct (leading n p Hp) as (p1 & q & p2 & Ep & Hq & H2).
    assert (Hdq : length p1 <= d /\ degree_le n (d - length p1) q).
    { destruct (Hd (length p1) q) as [Hz | H]; [ | contradiction | exact H].
      rewrite Ep, nth_error_app2 by lia. now rewrite Nat.sub_diag. }
    destruct Hdq as [Hk Hdq]. specialize (IH (d - length p1) q HS Hdq Hq).
    assert (Hcount : forall l : list (list A),
      length (filter (fun v => if A_dec (eval (Datatypes.S n) p v) zero then true else false)
                (flat_map (fun w => map (fun x => x :: w) S) l))
      <= length S * length (filter (fun v => if A_dec (eval n q v) zero then true else false) l)
         + length p1 * length l).
    { induction l as [ | w l IHl]; [simpl; lia | ].
      cbn [flat_map]. rewrite filter_app, app_length, filter_map_length.
      cbn [filter length]. destruct (A_dec (eval n q w) zero) as [Ez | Ez]; cbn [length].
      - generalize (filter_length_le (fun x =>
          if A_dec (eval (Datatypes.S n) p (x :: w)) zero then true else false) S). lia.
      - generalize (zeros_on_line n p1 q p2 S w HS H2 Ez). rewrite <- Ep. lia. }
    specialize (Hcount (grid S n)). rewrite grid_length in Hcount.
    unfold zeros in *. cbn [grid].
    apply Nat.le_trans with (length S * (length S * length (filter (fun v =>
      if A_dec (eval n q v) zero then true else false) (grid S n)) + length p1 * length S ^ n)).
    + now apply Nat.mul_le_mono_l.
    + replace (length S ^ Datatypes.S n) with (length S * length S ^ n) by reflexivity.
      replace d with ((d - length p1) + length p1) at 1 by lia. nia.
Qed.

(** As a probability: at most [d / |S|] of the [|S|^n] points are zeros. *)
Corollary schwartz_zippel_probability (n d : nat) (p : poly n) (S : list A) :
  NoDup S -> S <> [] -> degree_le n d p -> ~ is_zero n p ->
  (INR (length (zeros n p S)) / INR (length (grid S n)) <= INR d / INR (length S))%R.
Proof.
  intros HS Hne Hd Hp. generalize (schwartz_zippel n d p S HS Hd Hp). intros H.
  rewrite grid_length.
  assert (H1 : (0 < INR (length S))%R)
    by (apply lt_0_INR; destruct S; [contradiction | simpl; lia]).
  assert (H2 : (0 < INR (length S ^ n))%R).
  { apply lt_0_INR. apply Nat.neq_0_lt_0, Nat.pow_nonzero. destruct S; [contradiction | ].
    simpl. lia. }
  apply le_INR in H. rewrite !mult_INR in H.
  apply Rmult_le_reg_r with (INR (length S ^ n) * INR (length S))%R; [nra | ].
  replace (INR (length (zeros n p S)) / INR (length S ^ n)
           * (INR (length S ^ n) * INR (length S)))%R
    with (INR (length S) * INR (length (zeros n p S)))%R by (field; lra).
  replace (INR d / INR (length S) * (INR (length S ^ n) * INR (length S)))%R
    with (INR d * INR (length S ^ n))%R by (field; lra).
  exact H.
Qed.

End Domain.

(** ** The integers modulo a prime *)

Section PrimeField.

Variable p : Z.
Variable p_prime : prime p.

(** An element of the field is a remainder [x], an integer with [x mod p = x]. *)
Definition Fp : Type := {x : Z | Z.eqb (x mod p) x = true}.

Definition val (a : Fp) : Z := proj1_sig a.

(** The remainder of an integer. *)
Definition fp (x : Z) : Fp :=
  exist _ (x mod p)%Z (proj2 (Z.eqb_eq _ _) (Zmod_mod x p)).

Definition fp_add (a b : Fp) : Fp := fp (val a + val b).
Definition fp_mul (a b : Fp) : Fp := fp (val a * val b).
Definition fp_sub (a b : Fp) : Fp := fp (val a - val b).
Definition fp_opp (a : Fp) : Fp := fp (- val a).

Lemma val_inj a b : val a = val b -> a = b.
Proof.
  destruct a as [x Hx], b as [y Hy]. simpl. intros E. subst y.
  f_equal. apply UIP_dec. apply bool_dec.
Qed.

Lemma fp_eq x y : fp x = fp y <-> (x mod p = y mod p)%Z.
Proof.
  split; [intros E; exact (f_equal val E) | intros E; now apply val_inj].
Qed.

Lemma fp_val a : fp (val a) = a.
Proof. apply val_inj. simpl. apply Z.eqb_eq. exact (proj2_sig a). Qed.

Lemma fp_add_fp x y : fp_add (fp x) (fp y) = fp (x + y).
Proof. apply fp_eq. simpl. symmetry. apply Zplus_mod. Qed.

Lemma fp_mul_fp x y : fp_mul (fp x) (fp y) = fp (x * y).
Proof. apply fp_eq. simpl. symmetry. apply Zmult_mod. Qed.

Lemma fp_sub_fp x y : fp_sub (fp x) (fp y) = fp (x - y).
Proof. apply fp_eq. simpl. symmetry. apply Zminus_mod. Qed.

Lemma fp_opp_fp x : fp_opp (fp x) = fp (- x).
Proof.
  apply fp_eq. simpl. rewrite <- (Z.sub_0_l (x mod p)), <- (Z.sub_0_l x).
  apply Zminus_mod_idemp_r.
Qed.

Lemma fp_ring : ring_theory (fp 0) (fp 1) fp_add fp_mul fp_sub fp_opp eq.
Proof.
  constructor; intros; repeat match goal with a : Fp |- _ =>
    rewrite <- (fp_val a); generalize (val a); clear a; intros ? end;
    rewrite ?fp_opp_fp, ?fp_sub_fp; rewrite ?fp_add_fp, ?fp_mul_fp;
    rewrite ?fp_add_fp, ?fp_mul_fp; f_equal; ring.
Qed.

Lemma fp_domain a b : fp_mul a b = fp 0 -> a = fp 0 \/ b = fp 0.
Proof.
  rewrite <- (fp_val a), <- (fp_val b), fp_mul_fp, !fp_eq, Z.mod_0_l
    by (generalize (prime_ge_2 p p_prime); lia).
  intros H. apply Zmod_divide in H; [ | generalize (prime_ge_2 p p_prime); lia].
  destruct (prime_mult p p_prime _ _ H) as [D | D]; [left | right];
    apply Zdivide_mod in D; exact D.
Qed.

Lemma fp_dec (a b : Fp) : {a = b} + {a <> b}.
Proof.
  destruct (Z.eq_dec (val a) (val b)) as [E | E]; [left; now apply val_inj | right; congruence].
Qed.

(** The identity test: a polynomial over the integers modulo a prime, not identically zero, of total
    degree at most [d], vanishes at a uniformly random point of [S^n] with a probability of at most
    [d / |S|]. [S] may be the whole field, or a subgroup of its multiplicative group. *)
Theorem schwartz_zippel_prime_field (n d : nat) (q : poly Fp n) (S : list Fp) :
  NoDup S -> S <> [] -> degree_le Fp (fp 0) n d q -> ~ is_zero Fp (fp 0) n q ->
  (INR (length (zeros Fp (fp 0) fp_add fp_mul fp_dec n q S)) / INR (length S ^ n)
   <= INR d / INR (length S))%R.
Proof.
  rewrite <- (grid_length Fp S n).
  apply (schwartz_zippel_probability Fp (fp 0) (fp 1) fp_add fp_mul fp_sub fp_opp
           fp_ring fp_domain fp_dec).
Qed.

End PrimeField.

(** ** Instances with numbers, over the integers *)

Lemma Z_domain x y : (x * y = 0)%Z -> x = 0%Z \/ y = 0%Z.
Proof. apply Z.mul_eq_0. Qed.

Definition Z_zeros := zeros Z 0%Z Z.add Z.mul Z.eq_dec.

(** [x y] has five zeros on [{0, 1, 2}^2]; the bound is 6. *)
Example zeros_xy : length (Z_zeros 2 [[]; [0; 1]]%Z [0; 1; 2]%Z) = 5.
Proof. reflexivity. Qed.

(** The bound is attained: [x^2 - x] on [{0, 1, 2}] has two zeros, and its degree is 2. *)
Example schwartz_zippel_sharp :
  let S := [0; 1; 2]%Z in
  let p : poly Z 1 := [0; -1; 1]%Z in
  NoDup S /\ degree_le Z 0%Z 1 2 p /\ ~ is_zero Z 0%Z 1 p
  /\ length S * length (Z_zeros 1 p S) = 2 * length S ^ 1.
Proof.
  intros S p. split; [ | split; [ | split]].
  - repeat constructor; simpl; intuition discriminate.
  - intros [ | [ | [ | k]]] q E; [right; split; [lia | exact I] .. | ].
    destruct k; discriminate.
  - intros H. inversion H as [ | ? ? _ H2]; subst. inversion H2. discriminate.
  - reflexivity.
Qed.

(** A degree of 1 is refused for it, so the definition of degree says what it should. *)
Example degree_is_2 : ~ degree_le Z 0%Z 1 1 ([0; -1; 1]%Z : poly Z 1).
Proof.
  intros H. destruct (H 2 1%Z eq_refl) as [E | [E _]]; [discriminate | lia].
Qed.

(** Over a ring with zero divisors it is false: [2 x] has two zeros modulo 4. *)
Example zero_divisors_matter :
  length (filter (fun x => Z.eqb ((2 * x) mod 4) 0) [0; 1; 2; 3]%Z) = 2.
Proof. reflexivity. Qed.
